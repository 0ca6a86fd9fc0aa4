package awsapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tacet"
)

// Every code has a translation: a new one without is a failing test and not an
// InternalServiceError in somebody's log.
func TestEveryCodeIsTranslated(t *testing.T) {
	modelled := map[string]bool{
		"DecryptionFailure": true, "EncryptionFailure": true, "InternalServiceError": true, "InvalidNextTokenException": true,
		"InvalidParameterException": true, "InvalidRequestException": true, "LimitExceededException": true,
		"MalformedPolicyDocumentException": true, "PreconditionNotMetException": true, "PublicPolicyException": true,
		"ResourceExistsException": true, "ResourceNotFoundException": true,
		"AccessDeniedException": false, "UnrecognizedClientException": false, "ExpiredTokenException": false, "MissingAuthenticationTokenException": false, "ThrottlingException": false, "ValidationException": false, "ServiceUnavailable": false,
	}
	for _, code := range tacet.Codes() {
		e := &tacet.Error{Code: code, Secret: "n", ARN: "arn", Version: "v", Stage: "s", Region: "r", Regions: []string{"r"}, Detail: "d",
			Cause: errors.New("the cause"), Denial: &tacet.Denial{Caller: "c", Action: "a", Reason: tacet.DenyImplicitIdentity}}
		f := byCode(e)
		if f == nil {
			t.Errorf("%s has no translation", code)
			continue
		}
		want := 400
		if code == tacet.Internal {
			want = 500
		} else if code == tacet.Unavailable {
			want = 503
		}
		isModelled, known := modelled[f.code]
		if !known || isModelled != f.modelled || f.status != want || f.text == "" {
			t.Errorf("%s: %+v", code, f)
		}
		if strings.Contains(f.text, "the cause") {
			t.Errorf("%s tells its cause", code)
		}
		if q := queryFailure(f); q.code == "" || strings.HasSuffix(q.code, "AccessDeniedException") {
			t.Errorf("%s in the Query protocol: %+v", code, q)
		}
	}
	if f := byCode(&tacet.Error{Code: "NoSuchCode"}); f != nil {
		t.Errorf("a code that does not exist is %+v", f)
	}
}

func TestContractB_ErrorTexts(t *testing.T) {
	const notFoundText = "Secrets Manager can't find the specified secret"
	for _, tt := range []struct {
		err        tacet.Error
		code, text string
	}{
		{tacet.Error{Code: tacet.SecretNotFound}, "ResourceNotFoundException", notFoundText + "."},
		{tacet.Error{Code: tacet.StageNotFound, Stage: "AWSCURRENT"}, "ResourceNotFoundException", notFoundText + " value for staging label: AWSCURRENT"},
		{tacet.Error{Code: tacet.VersionNotFound, Version: "v1"}, "ResourceNotFoundException", notFoundText + " value for VersionId: v1"},
		{tacet.Error{Code: tacet.SecretExists, Secret: "db"}, "ResourceExistsException", "The operation failed because the secret db already exists."},
		{tacet.Error{Code: tacet.SecretNameScheduled}, "InvalidRequestException",
			"You can't create this secret because a secret with this name is already scheduled for deletion."},
		{tacet.Error{Code: tacet.SecretMarkedDeleted}, "InvalidRequestException",
			"You can't perform this operation on the secret because it was marked for deletion."},
		{tacet.Error{Code: tacet.StageNotOnVersion}, "InvalidRequestException",
			"You provided a VersionStage that is not associated to the provided VersionId."},
		{tacet.Error{Code: tacet.TokenMissing}, "InvalidRequestException",
			"You must provide a ClientRequestToken value. We recommend a UUID-type value."},
		{tacet.Error{Code: tacet.TokenInUse, Version: "tok", ARN: "arn:x"}, "ResourceExistsException",
			"You can't use ClientRequestToken tok because that value is already in use for a version of secret arn:x."},
		{tacet.Error{Code: tacet.ValueMissing}, "InvalidRequestException", "You must provide either SecretString or SecretBinary."},
		{tacet.Error{Code: tacet.ValueAmbiguous}, "InvalidParameterException",
			"You can't specify both a binary secret value and a string secret value in the same secret."},
		{tacet.Error{Code: tacet.StageHolderMissing, Stage: "AWSCURRENT", Version: "p"}, "InvalidParameterException",
			"The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version p, so you must explicitly reference that version in RemoveFromVersionId."},
		{tacet.Error{Code: tacet.StageHolderWrong, Stage: "X"}, "InvalidParameterException",
			"When you move staging label X, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label X."},
		{tacet.Error{Code: tacet.CurrentNotRemovable}, "InvalidParameterException",
			"You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."},
		{tacet.Error{Code: tacet.RecoveryOutOfRange}, "InvalidParameterException",
			"The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."},
		{tacet.Error{Code: tacet.RecoveryAmbiguous}, "InvalidParameterException",
			"You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."},
		{tacet.Error{Code: tacet.HasReplicas, ARN: "arn:x", Regions: []string{"r1", "r2"}}, "InvalidParameterException",
			"You can't delete secret arn:x that still has replica regions [r1, r2]."},
		{tacet.Error{Code: tacet.ReplicaReadOnly}, "InvalidParameterException",
			"Operation not permitted on a replica secret. Call must be made in primary secret's region."},
		{tacet.Error{Code: tacet.ReplicaRegionInvalid}, "InvalidParameterException", "Invalid replica region."},
		{tacet.Error{Code: tacet.CrossAccountKey}, "InvalidRequestException",
			"You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key."},
		{tacet.Error{Code: tacet.PolicyMalformed}, "MalformedPolicyDocumentException", "This policy has invalid syntax."},
		{tacet.Error{Code: tacet.PolicyPrincipal}, "MalformedPolicyDocumentException", "This resource policy contains an unsupported principal."},
		{tacet.Error{Code: tacet.PasswordTooShort}, "InvalidParameterException", "Password length is too short based on the required types."},
		{tacet.Error{Code: tacet.Throttled}, "ThrottlingException", "Rate exceeded"},
	} {
		f := translate(tacet.OpGetSecretValue, fmt.Errorf("wrapped: %w", &tt.err))
		if f.code != tt.code || f.text != tt.text || f.status != 400 {
			t.Errorf("%s: %d %s %q", tt.err.Code, f.status, f.code, f.text)
		}
	}
}

// RotateSecret is the one operation that answers another exception for a missing token.
func TestContractB0_TokenMissingOfRotateSecret(t *testing.T) {
	f := translate(tacet.OpRotateSecret, &tacet.Error{Code: tacet.TokenMissing})
	if f.code != "InvalidParameterException" || f.text != tokenMissing || !f.modelled {
		t.Errorf("%+v", f)
	}
}

func TestContractA6_DenialTexts(t *testing.T) {
	const user, action = "arn:aws:iam::123456789012:user/u", "secretsmanager:GetSecretValue"
	begin := "User: " + user + " is not authorized to perform: " + action
	for _, tt := range []struct {
		resource string
		reason   tacet.DenyReason
		want     string
	}{
		{"sharepoint_account", tacet.DenyImplicitIdentity, begin + " on resource: sharepoint_account because no identity-based policy allows the " + action + " action"},
		{"", tacet.DenyImplicitIdentity, begin + " because no identity-based policy allows the " + action + " action"},
		{"s", tacet.DenyImplicitResource, begin + " on resource: s because no resource-based policy allows the " + action + " action"},
		{"s", tacet.DenyImplicitBoundary, begin + " on resource: s because no permissions boundary allows the " + action + " action"},
		{"s", tacet.DenyImplicitSession, begin + " on resource: s because no session policy allows the " + action + " action"},
		{"s", tacet.DenyExplicitIdentity, begin + " on resource: s with an explicit deny in an identity-based policy"},
		{"s", tacet.DenyExplicitResource, begin + " on resource: s with an explicit deny in a resource-based policy"},
		{"s", tacet.DenyExplicitBoundary, begin + " on resource: s with an explicit deny in a permissions boundary"},
		{"s", tacet.DenyExplicitSession, begin + " on resource: s with an explicit deny in a session policy"},
		{"s", tacet.DenyExplicitAssignment, begin + " on resource: s with an explicit deny in a resource-based policy"},
		{"s", tacet.DenyNetwork, begin + " on resource: s with an explicit deny in a resource-based policy"},
		{"s", tacet.DenyImplicitTrust, begin + " on resource: s because no role trust policy allows the " + action + " action"},
		{"s", tacet.DenyExplicitTrust, begin + " on resource: s with an explicit deny in the role trust policy"},
	} {
		f := byCode(&tacet.Error{Code: tacet.Denied, Denial: &tacet.Denial{Caller: user, Action: action, Resource: tt.resource, Reason: tt.reason}})
		if f.text != tt.want || f.code != "AccessDeniedException" || f.status != 400 {
			t.Errorf("%s:\n got %s\nwant %s", tt.reason, f.text, tt.want)
		}
	}
}

// An error that is not ours is a failure of ours, and its text stays here.
func TestForeignErrorsLoseTheirText(t *testing.T) {
	for _, err := range []error{errors.New("disk on fire"), &tacet.Error{Code: "NoSuchCode", Detail: "disk on fire"}, tacet.InternalError(errors.New("disk on fire"))} {
		f := translate(tacet.OpGetSecretValue, err)
		if f.status != 500 || f.code != "InternalServiceError" || strings.Contains(f.text, "fire") {
			t.Errorf("%v: %+v", err, f)
		}
	}
}
