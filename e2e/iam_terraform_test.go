package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// terraformIAM is every resource of Terraform's aws_iam_* that Tacet can have, and the data
// sources. Step "two" changes all that can be changed in place, and replaces the rest.
const terraformIAM = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-east-1"
}
variable "step" {
  default = "one"
}
locals {
  two   = var.step == "two"
  allow = { for a in ["GetSecretValue", "DescribeSecret", "ListSecrets"] : a => jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:${a}", Resource = "*" }] }) }
}
data "aws_caller_identity" "me" {}
data "aws_iam_session_context" "me" {
  arn = data.aws_caller_identity.me.arn
}
resource "aws_iam_account_alias" "this" {
  account_alias = local.two ? "tf-two" : "tf-one"
}
data "aws_iam_account_alias" "this" {
  depends_on = [aws_iam_account_alias.this]
}
resource "aws_iam_policy" "limit" {
  name   = "tf-all-limit"
  path   = "/tf/"
  policy = local.allow[local.two ? "GetSecretValue" : "DescribeSecret"]
  tags   = local.two ? { two = "2" } : { one = "1", kept = "a" }
}
resource "aws_iam_policy" "read" {
  name        = "tf-all-read"
  description = "reads"
  policy      = local.allow["GetSecretValue"]
}
resource "aws_iam_user" "a" {
  name                 = local.two ? "tf-all-a2" : "tf-all-a"
  path                 = local.two ? "/two/" : "/one/"
  permissions_boundary = local.two ? null : aws_iam_policy.read.arn
  force_destroy        = true
  tags                 = { team = "blue" }
}
resource "aws_iam_user" "b" {
  name          = "tf-all-b"
  force_destroy = true
  tags          = local.two ? { team = "red" } : { team = "blue", Env = "x" }
}
resource "aws_iam_access_key" "a" {
  user   = aws_iam_user.a.name
  status = local.two ? "Inactive" : "Active"
}
resource "aws_iam_user_policy" "a" {
  name   = "inline"
  user   = aws_iam_user.a.name
  policy = local.allow[local.two ? "ListSecrets" : "DescribeSecret"]
}
resource "aws_iam_user_policy_attachment" "a" {
  user       = aws_iam_user.a.name
  policy_arn = aws_iam_policy.read.arn
}
resource "aws_iam_group" "g" {
  name = local.two ? "tf-all-g2" : "tf-all-g"
  path = local.two ? "/two/" : "/"
}
resource "aws_iam_group" "h" {
  name = "tf-all-h"
}
resource "aws_iam_group_membership" "g" {
  name  = "members"
  group = aws_iam_group.g.name
  users = local.two ? [aws_iam_user.b.name] : [aws_iam_user.a.name, aws_iam_user.b.name]
}
resource "aws_iam_user_group_membership" "a" {
  user   = aws_iam_user.a.name
  groups = [aws_iam_group.h.name]
}
resource "aws_iam_group_policy" "g" {
  name   = "inline"
  group  = aws_iam_group.g.name
  policy = local.allow[local.two ? "ListSecrets" : "DescribeSecret"]
}
resource "aws_iam_group_policy_attachment" "g" {
  group      = aws_iam_group.g.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
resource "aws_iam_policy_attachment" "all" {
  name       = "everybody"
  users      = [aws_iam_user.b.name]
  roles      = local.two ? [] : [aws_iam_role.r.name]
  groups     = [aws_iam_group.h.name]
  policy_arn = aws_iam_policy.limit.arn
}
resource "aws_iam_role" "r" {
  name                  = "tf-all-r"
  path                  = "/tf/"
  description           = local.two ? "two" : "one"
  max_session_duration  = local.two ? 7200 : 3600
  permissions_boundary  = local.two ? aws_iam_policy.read.arn : null
  force_detach_policies = true
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = local.two ? aws_iam_user.b.arn : data.aws_caller_identity.me.arn } }]
  })
  tags = local.two ? {} : { team = "blue" }
}
resource "aws_iam_role_policy" "r" {
  name   = "inline"
  role   = aws_iam_role.r.id
  policy = local.allow[local.two ? "ListSecrets" : "DescribeSecret"]
}
resource "aws_iam_role_policy_attachment" "r" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.read.arn
}
resource "aws_iam_role" "x" {
  name               = "tf-all-x"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = data.aws_caller_identity.me.account_id } }] })
}
resource "aws_iam_role_policies_exclusive" "x" {
  role_name    = aws_iam_role.x.name
  policy_names = []
}
resource "aws_iam_role_policy_attachments_exclusive" "x" {
  role_name   = aws_iam_role.x.name
  policy_arns = local.two ? [aws_iam_policy.read.arn, "arn:aws:iam::aws:policy/ReadOnlyAccess"] : [aws_iam_policy.read.arn]
}
resource "aws_iam_user_policies_exclusive" "b" {
  user_name    = aws_iam_user.b.name
  policy_names = []
}
resource "aws_iam_user_policy_attachments_exclusive" "b" {
  user_name   = aws_iam_user.b.name
  policy_arns = [aws_iam_policy.limit.arn]
  depends_on  = [aws_iam_policy_attachment.all]
}
resource "aws_iam_group_policies_exclusive" "h" {
  group_name   = aws_iam_group.h.name
  policy_names = []
}
resource "aws_iam_group_policy_attachments_exclusive" "h" {
  group_name  = aws_iam_group.h.name
  policy_arns = [aws_iam_policy.limit.arn]
  depends_on  = [aws_iam_policy_attachment.all]
}
resource "aws_iam_openid_connect_provider" "o" {
  url             = "https://tf-all.example.com/path"
  client_id_list  = local.two ? ["b", "c"] : ["a", "b"]
  thumbprint_list = local.two ? ["bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"] : ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
  tags            = local.two ? { team = "red" } : { team = "blue" }
}
data "aws_iam_role" "r" {
  name = aws_iam_role.r.name
}
data "aws_iam_roles" "tf" {
  path_prefix = "/tf/"
  depends_on  = [aws_iam_role.r]
}
data "aws_iam_user" "a" {
  user_name = aws_iam_user.a.name
}
data "aws_iam_users" "all" {
  name_regex = "tf-all-.*"
  depends_on = [aws_iam_user.a, aws_iam_user.b]
}
data "aws_iam_policy" "limit" {
  name       = "tf-all-limit"
  depends_on = [aws_iam_policy.limit]
}
data "aws_iam_group" "g" {
  group_name = aws_iam_group.g.name
  depends_on = [aws_iam_group_membership.g]
}
data "aws_iam_openid_connect_provider" "o" {
  url        = "https://tf-all.example.com/path"
  depends_on = [aws_iam_openid_connect_provider.o]
}
data "aws_iam_access_keys" "a" {
  user       = aws_iam_user.a.name
  depends_on = [aws_iam_access_key.a]
}
data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["*"]
  }
}
output "seen" {
  value = join(" ", [
    data.aws_iam_account_alias.this.account_alias, data.aws_iam_role.r.description, data.aws_iam_role.r.max_session_duration, length(data.aws_iam_roles.tf.names), data.aws_iam_user.a.path,
    length(data.aws_iam_users.all.names), data.aws_iam_policy.limit.path, length(data.aws_iam_group.g.users), join(",", sort(data.aws_iam_openid_connect_provider.o.client_id_list)),
    data.aws_iam_session_context.me.issuer_arn, one(data.aws_iam_access_keys.a.access_keys[*].status),
  ])
}
`

// TestTerraformIAM applies, changes everything, imports it anew, and destroys what others
// have given more to meanwhile. After each step there is nothing left to change.
func TestTerraformIAM(t *testing.T) {
	dir, run := newTerraform(t, terraformIAM)
	run("apply", "-auto-approve")
	run("plan", "-detailed-exitcode") // exit code 2 would mean that there is something left to change
	run("apply", "-auto-approve", "-var", "step=two")
	run("plan", "-detailed-exitcode", "-var", "step=two")
	if got, want := strings.Trim(run("output", "seen"), "\"\n"), "tf-two two 7200 1 /two/ 2 /tf/ 1 b,c arn:aws:iam::000000000001:user/admin Inactive"; got != want {
		t.Errorf("the data sources saw %q, want %q", got, want)
	}
	importIAM(t, dir, run)

	cli := tool(t, "aws")
	for _, args := range []string{"create-access-key --user-name tf-all-b", "put-user-policy --user-name tf-all-b --policy-name extra --policy-document " + readAny,
		"attach-user-policy --user-name tf-all-b --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess", "create-group --group-name tf-outside",
		"add-user-to-group --group-name tf-outside --user-name tf-all-b", "attach-role-policy --role-name tf-all-r --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess"} {
		if out, err := command(t, ".", cli, append([]string{"iam"}, strings.Fields(args)...)...); err != nil {
			t.Fatalf("aws iam %s: %v\n%s", args, err, out)
		}
	}
	run("destroy", "-auto-approve", "-var", "step=two")
	if out, err := command(t, ".", cli, "iam", "delete-group", "--group-name", "tf-outside"); err != nil {
		t.Errorf("the group outside is not empty: %v\n%s", err, out)
	}
}

// importIAM plans to import what is there: nothing may be found different but what only
// Terraform knows.
func importIAM(t *testing.T, dir string, run func(...string) string) {
	t.Helper()
	const arn = "arn:aws:iam::000000000001"
	key := ""
	for line := range strings.Lines(run("state", "show", "aws_iam_access_key.a")) {
		if name, value, _ := strings.Cut(line, "="); strings.TrimSpace(name) == "id" {
			key = strings.Trim(value, " \"\n")
		}
	}
	var b strings.Builder
	for _, i := range [][2]string{
		{"aws_iam_account_alias.this", "tf-two"},
		{"aws_iam_policy.limit", arn + ":policy/tf/tf-all-limit"}, {"aws_iam_policy.read", arn + ":policy/tf-all-read"},
		{"aws_iam_user.a", "tf-all-a2"}, {"aws_iam_user.b", "tf-all-b"}, {"aws_iam_access_key.a", key},
		{"aws_iam_user_policy.a", "tf-all-a2:inline"}, {"aws_iam_user_policy_attachment.a", "tf-all-a2/" + arn + ":policy/tf-all-read"},
		{"aws_iam_group.g", "tf-all-g2"}, {"aws_iam_group.h", "tf-all-h"}, {"aws_iam_user_group_membership.a", "tf-all-a2/tf-all-h"},
		{"aws_iam_group_policy.g", "tf-all-g2:inline"}, {"aws_iam_group_policy_attachment.g", "tf-all-g2/arn:aws:iam::aws:policy/ReadOnlyAccess"},
		{"aws_iam_role.r", "tf-all-r"}, {"aws_iam_role.x", "tf-all-x"}, {"aws_iam_role_policy.r", "tf-all-r:inline"},
		{"aws_iam_role_policy_attachment.r", "tf-all-r/" + arn + ":policy/tf-all-read"},
		{"aws_iam_role_policies_exclusive.x", "tf-all-x"}, {"aws_iam_role_policy_attachments_exclusive.x", "tf-all-x"},
		{"aws_iam_user_policies_exclusive.b", "tf-all-b"}, {"aws_iam_group_policies_exclusive.h", "tf-all-h"},
		{"aws_iam_openid_connect_provider.o", arn + ":oidc-provider/tf-all.example.com/path"},
	} {
		fmt.Fprintf(&b, "import {\n  to = %s\n  id = %q\n}\n", i[0], i[1])
	}
	imports, state := filepath.Join(dir, "imports.tf"), filepath.Join(dir, "terraform.tfstate")
	must(t, os.WriteFile(imports, []byte(b.String()), 0o600))
	must(t, os.Rename(state, state+".kept"))
	plan := run("plan", "-var", "step=two")
	must(t, os.Rename(state+".kept", state))
	must(t, os.Remove(imports))
	// Four resources cannot be imported. Three have settings that only Terraform knows.
	if !strings.Contains(plan, "Plan: 22 to import, 4 to add, 3 to change, 0 to destroy.") {
		t.Errorf("the plan of an import:\n%s", plan)
	}
	for line := range strings.Lines(plan) {
		change, ok := strings.CutPrefix(strings.TrimSpace(line), "~ ")
		known := strings.HasPrefix(change, "resource ") || strings.HasPrefix(change, "force_") || change == "update in-place" // the legend
		if ok && !known {
			t.Errorf("an import finds something else: %s", change)
		}
	}
}
