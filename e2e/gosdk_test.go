package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func goConfig(t *testing.T, opts ...func(*config.LoadOptions) error) aws.Config {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestGoSDK is the main job with nothing configured but the environment.
func TestGoSDK(t *testing.T) {
	goMainJob(t, secretsmanager.NewFromConfig(goConfig(t)), "go/plain")
}

// TestGoSDKOverTLS is the same through HTTPS, trusting the development authority.
func TestGoSDKOverTLS(t *testing.T) {
	pem, err := os.ReadFile(env["TACET_CA_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	cfg := goConfig(t, config.WithCustomCABundle(bytes.NewReader(pem)), config.WithBaseEndpoint(env["TACET_HTTPS_URL"]))
	goMainJob(t, secretsmanager.NewFromConfig(cfg), "go/tls")
}

func goMainJob(t *testing.T, sm *secretsmanager.Client, name string) {
	ctx := t.Context()
	created, err := sm.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("one"), Description: aws.String("e2e"),
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}})
	must(t, err)
	if !strings.Contains(*created.ARN, ":secret:"+name+"-") {
		t.Errorf("ARN %s", *created.ARN)
	}
	got, err := sm.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: created.ARN})
	must(t, err)
	if *got.SecretString != "one" || *got.VersionId != *created.VersionId || time.Since(*got.CreatedDate).Abs() > time.Minute {
		t.Errorf("GetSecretValue: version %s created %v", *got.VersionId, got.CreatedDate)
	}
	_, err = sm.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretBinary: []byte{0, 1, 2, 0xff}})
	must(t, err)
	got, err = sm.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	must(t, err)
	if string(got.SecretBinary) != "\x00\x01\x02\xff" || got.SecretString != nil {
		t.Error("the binary value did not come back")
	}
	old, err := sm.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: aws.String("AWSPREVIOUS")})
	must(t, err)
	if *old.SecretString != "one" {
		t.Error("AWSPREVIOUS is not the first value")
	}
	described, err := sm.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	must(t, err)
	if len(described.VersionIdsToStages) != 2 || *described.Description != "e2e" || len(described.Tags) != 1 {
		t.Errorf("DescribeSecret: %+v", described.VersionIdsToStages)
	}
	if found := listNames(t, sm, name); found != 1 {
		t.Errorf("ListSecrets finds %d", found)
	}
	_, err = sm.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: aws.Int64(7)})
	must(t, err)
	_, err = sm.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	var invalid *types.InvalidRequestException
	if !errors.As(err, &invalid) {
		t.Errorf("reading a deleted secret: %v", err)
	}
	_, err = sm.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &name})
	must(t, err)
	_, err = sm.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
	must(t, err)
	_, err = sm.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("describing a purged secret: %v", err)
	}
}

func listNames(t *testing.T, sm *secretsmanager.Client, prefix string) int {
	t.Helper()
	n := 0
	pages := secretsmanager.NewListSecretsPaginator(sm, &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(1),
		Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{prefix}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		n += len(page.SecretList)
	}
	return n
}

func TestGoSDKErrors(t *testing.T) {
	sm := secretsmanager.NewFromConfig(goConfig(t))
	code := func(err error) string {
		var api smithy.APIError
		if errors.As(err, &api) {
			return api.ErrorCode()
		}
		return ""
	}
	_, err := sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("no/such")})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("unknown secret: %v", err)
	}
	_, err = sm.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("not allowed!")})
	if code(err) != "ValidationException" {
		t.Errorf("bad name: %v", err)
	}
	wrong := secretsmanager.NewFromConfig(goConfig(t, config.WithCredentialsProvider(aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: "wrong"}, nil
		}))))
	_, err = wrong.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	if code(err) != "InvalidSignatureException" {
		t.Errorf("wrong secret key: %v", err)
	}
}

func TestGoSDKCallerIdentity(t *testing.T) {
	out, err := sts.NewFromConfig(goConfig(t)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	must(t, err)
	if *out.Account != "000000000001" || !strings.HasPrefix(*out.Arn, "arn:aws:iam::000000000001:user/") {
		t.Errorf("caller identity: %s %s", *out.Account, *out.Arn)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
