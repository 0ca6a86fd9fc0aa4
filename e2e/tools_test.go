package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestJavaScriptSDK needs Node.js and the npm registry; both are a failure when
// missing, since this client is always to be driven.
func TestJavaScriptSDK(t *testing.T) {
	installJavaScript(t)
	for _, program := range []string{"main.mjs", "iam.mjs"} {
		out, err := command(t, "js", "node", program)
		if err != nil || strings.TrimSpace(out) != "ok" {
			t.Errorf("node %s: %v\n%s", program, err, out)
		}
	}
}

func TestPythonSDK(t *testing.T) {
	python := tool(t, "python3")
	if _, err := command(t, ".", python, "-c", "import boto3"); err != nil {
		t.Skip("LEFT OUT: boto3 is not installed on this machine")
	}
	out, err := command(t, ".", python, "python_main.py")
	if err != nil || strings.TrimSpace(out) != "ok" {
		t.Fatalf("python: %v\n%s", err, out)
	}
}

// TestAWSCommand is the README's first minute.
func TestAWSCommand(t *testing.T) {
	cli := tool(t, "aws")
	run := func(args ...string) map[string]any {
		t.Helper()
		out, err := command(t, ".", cli, append([]string{"--output", "json", "secretsmanager"}, args...)...)
		if err != nil {
			t.Fatalf("aws %s: %v\n%s", args[0], err, out)
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(out), &m); err != nil {
			t.Fatalf("aws %s printed no JSON: %v", args[0], err)
		}
		return m
	}
	run("create-secret", "--name", "cli/db", "--secret-string", "one")
	if m := run("get-secret-value", "--secret-id", "cli/db"); m["SecretString"] != "one" {
		t.Error("get-secret-value does not return the value")
	}
	run("put-secret-value", "--secret-id", "cli/db", "--secret-string", "two")
	if m := run("get-secret-value", "--secret-id", "cli/db", "--version-stage", "AWSPREVIOUS"); m["SecretString"] != "one" {
		t.Error("AWSPREVIOUS is not the first value")
	}
	if m := run("list-secrets", "--filters", "Key=name,Values=cli/"); len(m["SecretList"].([]any)) != 1 {
		t.Error("list-secrets does not find it")
	}
	run("delete-secret", "--secret-id", "cli/db", "--force-delete-without-recovery")
}

const terraformMain = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-east-1"
}
resource "aws_secretsmanager_secret" "db" {
  name                    = "terraform/db"
  description             = "made by terraform"
  recovery_window_in_days = 0
  tags                    = { team = "blue" }
}
resource "aws_secretsmanager_secret_version" "db" {
  secret_id     = aws_secretsmanager_secret.db.id
  secret_string = jsonencode({ user = "app", password = "first" })
}
data "aws_caller_identity" "me" {}
resource "aws_secretsmanager_secret_policy" "db" {
  secret_arn = aws_secretsmanager_secret.db.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Read"
      Effect    = "Allow"
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
      Principal = { AWS = data.aws_caller_identity.me.arn }
    }]
  })
}
data "aws_secretsmanager_secret_version" "read" {
  secret_id  = aws_secretsmanager_secret.db.id
  depends_on = [aws_secretsmanager_secret_version.db]
}
`

// TestTerraform applies, plans again, which must be empty, and destroys. The provider
// comes from a local mirror, because it cannot be built from the registries that the
// project may use; where there is none the test is left out, loudly.
func TestTerraform(t *testing.T) {
	t.Run("secrets", func(t *testing.T) { applyTwice(t, terraformMain) })
	t.Run("principals", func(t *testing.T) { applyTwice(t, terraformPrincipals) })
}

func applyTwice(t *testing.T, configuration string) {
	_, run := newTerraform(t, configuration)
	run("apply", "-auto-approve")
	// Exit code 2 would mean that there is something left to change.
	run("plan", "-detailed-exitcode")
	run("destroy", "-auto-approve")
}

// newTerraform prepares a folder with a configuration, and returns it and what runs a
// command there, which must succeed.
func newTerraform(t *testing.T, configuration string) (dir string, run func(args ...string) string) {
	terraform := tool(t, "terraform")
	mirror := os.Getenv("TACET_TERRAFORM_MIRROR")
	if mirror == "" {
		mirror = "/opt/tf-plugins"
	}
	if found, _ := filepath.Glob(filepath.Join(mirror, "registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*")); len(found) == 0 {
		t.Skipf("LEFT OUT: no terraform-provider-aws under %s", mirror)
	}
	dir = t.TempDir()
	rc := filepath.Join(dir, "terraformrc")
	must(t, os.WriteFile(rc, []byte("provider_installation {\n  filesystem_mirror {\n    path = \""+mirror+"\"\n  }\n}\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "main.tf"), []byte(configuration), 0o600))
	t.Setenv("TF_CLI_CONFIG_FILE", rc)
	t.Setenv("CHECKPOINT_DISABLE", "1")
	t.Setenv("TF_INPUT", "0")
	t.Setenv("TF_IN_AUTOMATION", "1")
	t.Setenv("TF_CLI_ARGS", "-no-color")
	run = func(args ...string) string {
		t.Helper()
		out, err := command(t, dir, terraform, args...)
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
		}
		return out
	}
	run("init")
	return dir, run
}
