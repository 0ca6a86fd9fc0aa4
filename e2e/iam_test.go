package e2e

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// terraformPrincipals is every kind of principal, and how they hang together.
const terraformPrincipals = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-east-1"
}
resource "aws_iam_user" "ci" {
  name = "tf-ci"
  path = "/machines/"
  tags = { team = "blue" }
}
resource "aws_iam_access_key" "ci" {
  user = aws_iam_user.ci.name
}
resource "aws_iam_policy" "read" {
  name        = "tf-read"
  description = "reads"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*" }]
  })
  tags = { team = "blue" }
}
resource "aws_iam_openid_connect_provider" "github" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}
resource "aws_iam_role" "deploy" {
  name                 = "tf-deploy"
  description          = "deploys"
  max_session_duration = 7200
  permissions_boundary = aws_iam_policy.read.arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Condition = { StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" } }
    }]
  })
  tags = { team = "blue" }
}
resource "aws_iam_role_policy_attachment" "deploy" {
  role       = aws_iam_role.deploy.name
  policy_arn = aws_iam_policy.read.arn
}
resource "aws_iam_role_policy" "deploy" {
  name   = "inline"
  role   = aws_iam_role.deploy.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:ListSecrets", Resource = "*" }] })
}
resource "aws_iam_group" "devs" {
  name = "tf-devs"
}
resource "aws_iam_group_policy_attachment" "devs" {
  group      = aws_iam_group.devs.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
resource "aws_iam_user_group_membership" "ci" {
  user   = aws_iam_user.ci.name
  groups = [aws_iam_group.devs.name]
}
resource "aws_iam_user_policy" "ci" {
  name   = "inline"
  user   = aws_iam_user.ci.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:ListSecrets", Resource = "*" }] })
}
data "aws_caller_identity" "me" {}
resource "aws_iam_role" "trusting" { # those who are made in the same plan
  name = "tf-trusting"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = [aws_iam_user.ci.arn, aws_iam_role.deploy.arn] } },
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = data.aws_caller_identity.me.account_id } },
    ]
  })
}
resource "aws_secretsmanager_secret" "shared" {
  name                    = "tf/shared"
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_policy" "shared" {
  secret_arn = aws_secretsmanager_secret.shared.arn
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*", Principal = { AWS = [aws_iam_user.ci.arn, aws_iam_role.trusting.arn] } }]
  })
}
data "aws_iam_principal_policy_simulation" "ci" {
  policy_source_arn = aws_iam_user.ci.arn
  action_names      = ["secretsmanager:ListSecrets"]
  depends_on        = [aws_iam_user_policy.ci]
  lifecycle {
    postcondition {
      condition     = self.all_allowed && contains(one(self.results).matched_statements[*].source_policy_id, "user_tf-ci_inline")
      error_message = "The inline policy does not allow it."
    }
  }
}
`

const readAny = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`

// TestAWSCommandIAM makes a user, a role and their policies with the command line, and
// assumes the role as the user.
func TestAWSCommandIAM(t *testing.T) {
	cli := tool(t, "aws")
	run := func(args ...string) map[string]any {
		t.Helper()
		out, err := command(t, ".", cli, append([]string{"--output", "json", "iam"}, args...)...)
		if err != nil {
			t.Fatalf("aws iam %s: %v\n%s", args[0], err, out)
		}
		m := map[string]any{}
		if strings.TrimSpace(out) != "" {
			must(t, json.Unmarshal([]byte(out), &m))
		}
		return m
	}
	user, _ := run("create-user", "--user-name", "cli", "--tags", "Key=team,Value=blue")["User"].(map[string]any)
	arn, _ := user["Arn"].(string)
	if !strings.HasSuffix(arn, ":user/cli") {
		t.Fatalf("create-user: %v", user)
	}
	key, _ := run("create-access-key", "--user-name", "cli")["AccessKey"].(map[string]any)
	run("create-role", "--role-name", "cli", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+arn+`"},"Action":"sts:AssumeRole"}]}`)
	run("put-role-policy", "--role-name", "cli", "--policy-name", "inline", "--policy-document", readAny)
	policy, _ := run("create-policy", "--policy-name", "cli", "--policy-document", readAny)["Policy"].(map[string]any)
	run("attach-user-policy", "--user-name", "cli", "--policy-arn", policy["Arn"].(string))
	run("attach-role-policy", "--role-name", "cli", "--policy-arn", policy["Arn"].(string))
	if got := run("list-entities-for-policy", "--policy-arn", policy["Arn"].(string)); len(got["PolicyUsers"].([]any))+len(got["PolicyRoles"].([]any)) != 2 {
		t.Errorf("list-entities-for-policy: %v", got)
	}
	simulated, _ := run("simulate-principal-policy", "--policy-source-arn", arn, "--action-names", "secretsmanager:GetSecretValue", "secretsmanager:DeleteSecret",
		"--resource-arns", "arn:aws:secretsmanager:us-east-1:000000000001:secret:x-abcdef", "--max-items", "10")["EvaluationResults"].([]any)
	if len(simulated) != 2 {
		t.Fatalf("simulate-principal-policy: %v", simulated)
	}
	for i, want := range []string{"allowed", "implicitDeny"} {
		r := simulated[i].(map[string]any)
		if r["EvalDecision"] != want || len(r["MatchedStatements"].([]any)) != 1-i || len(r["ResourceSpecificResults"].([]any)) != 1 {
			t.Errorf("simulate-principal-policy: %v, want %s", r, want)
		}
	}
	got := run("get-role-policy", "--role-name", "cli", "--policy-name", "inline")
	if doc, _ := got["PolicyDocument"].(map[string]any); doc["Version"] != "2012-10-17" {
		t.Errorf("get-role-policy: %v", got)
	}
	cfg := goConfig(t, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(key["AccessKeyId"].(string), key["SecretAccessKey"].(string), "")))
	session, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000001:role/cli"), RoleSessionName: aws.String("one")})
	must(t, err)
	if *session.AssumedRoleUser.Arn != "arn:aws:sts::000000000001:assumed-role/cli/one" {
		t.Errorf("assume-role: %s", *session.AssumedRoleUser.Arn)
	}
	if used := run("get-access-key-last-used", "--access-key-id", key["AccessKeyId"].(string)); used["AccessKeyLastUsed"].(map[string]any)["ServiceName"] != "sts" {
		t.Errorf("get-access-key-last-used: %v", used)
	}
	for _, args := range [][]string{
		{"detach-user-policy", "--user-name", "cli", "--policy-arn", policy["Arn"].(string)}, {"detach-role-policy", "--role-name", "cli", "--policy-arn", policy["Arn"].(string)},
		{"delete-role-policy", "--role-name", "cli", "--policy-name", "inline"}, {"delete-policy", "--policy-arn", policy["Arn"].(string)},
		{"delete-access-key", "--user-name", "cli", "--access-key-id", key["AccessKeyId"].(string)}, {"delete-role", "--role-name", "cli"}, {"delete-user", "--user-name", "cli"},
	} {
		run(args...)
	}
}

// TestGoSDKIAM walks through what a program does with principals.
func TestGoSDKIAM(t *testing.T) {
	ctx, c := t.Context(), iam.NewFromConfig(goConfig(t))
	for _, name := range []string{"go-a", "go-b", "go-c"} {
		_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Path: aws.String("/go/")})
		must(t, err)
	}
	var names []string
	pages := iam.NewListUsersPaginator(c, &iam.ListUsersInput{PathPrefix: aws.String("/go/"), MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		must(t, err)
		for _, u := range page.Users {
			names = append(names, *u.UserName)
		}
	}
	if strings.Join(names, " ") != "go-a go-b go-c" {
		t.Errorf("users: %v", names)
	}
	_, err := c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("go")})
	must(t, err)
	_, err = c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("go"), UserName: aws.String("go-a")})
	must(t, err)
	_, err = c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("go"), PolicyName: aws.String("p"), PolicyDocument: aws.String(readAny)})
	must(t, err)
	policy, err := c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: aws.String("go"), PolicyName: aws.String("p")})
	must(t, err)
	if doc, err := url.PathUnescape(*policy.PolicyDocument); err != nil || doc != readAny {
		t.Errorf("the policy came back as %q", doc)
	}
	_, err = c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: aws.String("go")})
	var conflict *types.DeleteConflictException
	if !errors.As(err, &conflict) {
		t.Errorf("deleting a group with users: %v", err)
	}
	_, err = c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("GO-A")})
	var exists *types.EntityAlreadyExistsException
	if !errors.As(err, &exists) {
		t.Errorf("a user of the same name: %v", err)
	}
	_, err = c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("go-a"), PolicyName: aws.String("p"), PolicyDocument: aws.String(`{}`)})
	var malformed *types.MalformedPolicyDocumentException
	if !errors.As(err, &malformed) {
		t.Errorf("a policy of nothing: %v", err)
	}
	_, err = c.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("none")})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "NoSuchEntity" {
		t.Errorf("a role that is not there: %v", err)
	}
	_, err = c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: aws.String("go"), UserName: aws.String("go-a")})
	must(t, err)
	_, err = c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: aws.String("go"), PolicyName: aws.String("p")})
	must(t, err)
	_, err = c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: aws.String("go")})
	must(t, err)
	for _, name := range names {
		_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
		must(t, err)
	}
}
