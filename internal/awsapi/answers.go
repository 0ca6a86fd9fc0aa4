package awsapi

import (
	"cmp"
	"tacet"
	"tacet/internal/vault"
)

// The answers, one function per shape. Members stand in the order of the API
// reference; which of them an answer has is part of the contract.

func writeNamed(e *encoder, out vault.Named) {
	e.open("{")
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.raw("}")
}

// writeNothing is the answer of the operations without an output shape: no body.
func writeNothing(*encoder, vault.Named) {}

// writeARN is writeNamed for the operation that answers no name.
func writeARN(e *encoder, out vault.Named) {
	e.open("{")
	e.text("ARN", out.ARN)
	e.raw("}")
}

func writeCreateSecret(e *encoder, out vault.CreateSecretOutput) {
	e.open("{")
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.optional("VersionId", string(out.Version))
	if out.Replicas != nil {
		writeReplicas(e, out.Replicas)
	}
	e.raw("}")
}

func writeSecretValue(e *encoder, out vault.SecretValue) {
	e.room(256 + out.Value.Len())
	e.open("{")
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.text("VersionId", string(out.Version))
	e.value(out.Kind, out.Value)
	e.stages("VersionStages", out.Stages)
	e.time("CreatedDate", out.Created)
	e.raw("}")
}

func writeBatch(e *encoder, out vault.BatchGetSecretValueOutput) {
	e.open("{")
	e.name("SecretValues")
	e.open("[")
	for _, v := range out.Values {
		writeSecretValue(e, v)
	}
	e.raw("]")
	e.name("Errors")
	e.open("[")
	for _, b := range out.Errors {
		f := translate(tacet.OpGetSecretValue, b.Err)
		e.open("{")
		e.text("SecretId", b.SecretID)
		e.text("ErrorCode", f.code)
		e.optional("Message", f.text)
		e.raw("}")
	}
	e.raw("]")
	e.optional("NextToken", out.NextToken)
	e.raw("}")
}

// writeInfo writes a secret's members as DescribeSecret and ListSecrets show them,
// stages being what each calls the labels by version.
func writeInfo(e *encoder, info vault.SecretInfo, stages string) {
	s := info.Secret
	e.text("ARN", info.ARN)
	e.text("Name", s.Name)
	e.optional("Type", s.Type)
	e.optional("Description", s.Description)
	e.optional("KmsKeyId", s.KMSKeyID)
	e.time("LastRotatedDate", s.Rotated)
	e.time("LastChangedDate", s.Changed)
	e.day("LastAccessedDate", s.Accessed)
	e.time("DeletedDate", s.PurgeAt)
	e.tags(s.Tags)
	e.stagesByVersion(stages, s)
	e.optional("OwningService", s.OwningService)
	e.time("CreatedDate", s.Created)
	e.optional("PrimaryRegion", s.PrimaryRegion)
}

func writeDescribe(e *encoder, info vault.SecretInfo) {
	e.open("{")
	writeInfo(e, info, "VersionIdsToStages")
	if len(info.Secret.Replicas) > 0 {
		writeReplicas(e, info.Secret.Replicas)
	}
	e.raw("}")
}

func writeListSecrets(e *encoder, out vault.ListSecretsOutput) {
	e.open("{")
	e.name("SecretList")
	e.open("[")
	for _, info := range out.Secrets {
		e.open("{")
		writeInfo(e, info, "SecretVersionsToStages")
		e.raw("}")
	}
	e.raw("]")
	e.optional("NextToken", out.NextToken)
	e.raw("}")
}

// defaultKey is what AWS calls the key that stands for none of one's own.
const defaultKey = "alias/aws/secretsmanager"

func writeReplicas(e *encoder, replicas []tacet.Replica) {
	e.name("ReplicationStatus")
	e.open("[")
	for _, r := range replicas {
		e.open("{")
		e.text("Region", r.Region)
		e.text("KmsKeyId", cmp.Or(r.KMSKeyID, defaultKey))
		e.text("Status", r.Status)
		e.optional("StatusMessage", r.Message)
		e.day("LastAccessedDate", r.Accessed)
		e.raw("}")
	}
	e.raw("]")
}

func writeUpdateSecret(e *encoder, out vault.UpdateSecretOutput) {
	e.open("{")
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.optional("VersionId", string(out.Version))
	e.raw("}")
}

func writePutSecretValue(e *encoder, out vault.PutSecretValueOutput) {
	e.open("{")
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.text("VersionId", string(out.Version))
	e.stages("VersionStages", out.Stages)
	e.raw("}")
}

func writeVersions(e *encoder, out vault.ListVersionsOutput) {
	e.open("{")
	e.name("Versions")
	e.open("[")
	for _, v := range out.Versions {
		e.open("{")
		e.text("VersionId", string(v.Version.ID))
		e.stages("VersionStages", v.Stages)
		e.day("LastAccessedDate", v.Version.Accessed)
		e.time("CreatedDate", v.Version.Created)
		e.name("KmsKeyIds")
		e.open("[")
		if key := v.Version.KMSKeyID; key != "" {
			quote(e, key)
		} else {
			quote(e, "DefaultEncryptionKey")
		}
		e.raw("]}")
	}
	e.raw("]")
	e.optional("NextToken", out.NextToken)
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.raw("}")
}

func writeDelete(e *encoder, out vault.DeleteSecretOutput) {
	e.open("{")
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.time("DeletionDate", out.PurgeAt)
	e.raw("}")
}

func writePolicy(e *encoder, out vault.ResourcePolicyOutput) {
	e.open("{")
	e.text("ARN", out.ARN)
	e.text("Name", out.Name)
	e.optional("ResourcePolicy", out.Policy)
	e.raw("}")
}

func writeValidation(e *encoder, problems []vault.ValidationError) {
	e.open("{")
	e.flag("PolicyValidationPassed", len(problems) == 0)
	e.name("ValidationErrors")
	e.open("[")
	for _, p := range problems {
		e.open("{")
		e.text("CheckName", p.Check)
		e.text("ErrorMessage", p.Message)
		e.raw("}")
	}
	e.raw("]}")
}

func writeReplication(e *encoder, out vault.ReplicationOutput) {
	e.open("{")
	e.text("ARN", out.ARN)
	writeReplicas(e, out.Replicas)
	e.raw("}")
}

// writeFailure writes the body of a refusal.
func writeFailure(e *encoder, f *failure) {
	e.open("{")
	e.text("__type", f.code)
	if f.modelled {
		e.optional("Message", f.text)
	} else {
		e.optional("message", f.text)
	}
	e.raw("}")
}
