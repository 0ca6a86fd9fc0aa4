package awsapi

import (
	"cmp"
	"tacet"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

// The answers, one function per shape. Members stand in the order of the API
// reference; which of them an answer has is part of the contract.

func writeNamed(e *encoder, out vault.Named) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.Raw("}")
}

// writeNothing is the answer of the operations without an output shape: no body.
func writeNothing(*encoder, vault.Named) {}

// writeARN is writeNamed for the operation that answers no name.
func writeARN(e *encoder, out vault.Named) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Raw("}")
}

func writeCreateSecret(e *encoder, out vault.CreateSecretOutput) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.Optional("VersionId", string(out.Version))
	if out.Replicas != nil {
		writeReplicas(e, out.Replicas)
	}
	e.Raw("}")
}

func writeSecretValue(e *encoder, out vault.SecretValue) {
	e.Room(256 + out.Value.Len())
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.Text("VersionId", string(out.Version))
	e.value(out.Kind, out.Value)
	e.stages("VersionStages", out.Stages)
	e.time("CreatedDate", out.Created)
	e.Raw("}")
}

func writeBatch(e *encoder, out vault.BatchGetSecretValueOutput) {
	e.Open("{")
	e.Name("SecretValues")
	e.Open("[")
	for _, v := range out.Values {
		writeSecretValue(e, v)
	}
	e.Raw("]")
	e.Name("Errors")
	e.Open("[")
	for _, b := range out.Errors {
		f := translate(tacet.OpGetSecretValue, b.Err)
		e.Open("{")
		e.Text("SecretId", b.SecretID)
		e.Text("ErrorCode", f.code)
		e.Optional("Message", f.text)
		e.Raw("}")
	}
	e.Raw("]")
	e.Optional("NextToken", out.NextToken)
	e.Raw("}")
}

// writeInfo writes a secret's members as DescribeSecret and ListSecrets show them,
// stages being what each calls the labels by version.
func writeInfo(e *encoder, info vault.SecretInfo, stages string) {
	s := info.Secret
	e.Text("ARN", info.ARN)
	e.Text("Name", s.Name)
	e.Optional("Type", s.Type)
	e.Optional("Description", s.Description)
	e.Optional("KmsKeyId", s.KMSKeyID)
	e.time("LastRotatedDate", s.Rotated)
	e.time("LastChangedDate", s.Changed)
	e.day("LastAccessedDate", s.Accessed)
	e.time("DeletedDate", s.PurgeAt)
	e.tags(s.Tags)
	e.stagesByVersion(stages, s)
	e.Optional("OwningService", s.OwningService)
	e.time("CreatedDate", s.Created)
	e.Optional("PrimaryRegion", s.PrimaryRegion)
}

func writeDescribe(e *encoder, info vault.SecretInfo) {
	e.Open("{")
	writeInfo(e, info, "VersionIdsToStages")
	if len(info.Secret.Replicas) > 0 {
		writeReplicas(e, info.Secret.Replicas)
	}
	e.Raw("}")
}

func writeListSecrets(e *encoder, out vault.ListSecretsOutput) {
	e.Open("{")
	e.Name("SecretList")
	e.Open("[")
	for _, info := range out.Secrets {
		e.Open("{")
		writeInfo(e, info, "SecretVersionsToStages")
		e.Raw("}")
	}
	e.Raw("]")
	e.Optional("NextToken", out.NextToken)
	e.Raw("}")
}

// defaultKey is what AWS calls the key that stands for none of one's own.
const defaultKey = "alias/aws/secretsmanager"

func writeReplicas(e *encoder, replicas []tacet.Replica) {
	e.Name("ReplicationStatus")
	e.Open("[")
	for _, r := range replicas {
		e.Open("{")
		e.Text("Region", r.Region)
		e.Text("KmsKeyId", cmp.Or(r.KMSKeyID, defaultKey))
		e.Text("Status", r.Status)
		e.Optional("StatusMessage", r.Message)
		e.day("LastAccessedDate", r.Accessed)
		e.Raw("}")
	}
	e.Raw("]")
}

func writeUpdateSecret(e *encoder, out vault.UpdateSecretOutput) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.Optional("VersionId", string(out.Version))
	e.Raw("}")
}

func writePutSecretValue(e *encoder, out vault.PutSecretValueOutput) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.Text("VersionId", string(out.Version))
	e.stages("VersionStages", out.Stages)
	e.Raw("}")
}

func writeVersions(e *encoder, out vault.ListVersionsOutput) {
	e.Open("{")
	e.Name("Versions")
	e.Open("[")
	for _, v := range out.Versions {
		e.Open("{")
		e.Text("VersionId", string(v.Version.ID))
		e.stages("VersionStages", v.Stages)
		e.day("LastAccessedDate", v.Version.Accessed)
		e.time("CreatedDate", v.Version.Created)
		e.Name("KmsKeyIds")
		e.Open("[")
		if key := v.Version.KMSKeyID; key != "" {
			wire.Quote(&e.Encoder, key)
		} else {
			wire.Quote(&e.Encoder, "DefaultEncryptionKey")
		}
		e.Raw("]}")
	}
	e.Raw("]")
	e.Optional("NextToken", out.NextToken)
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.Raw("}")
}

func writeDelete(e *encoder, out vault.DeleteSecretOutput) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.time("DeletionDate", out.PurgeAt)
	e.Raw("}")
}

func writePolicy(e *encoder, out vault.ResourcePolicyOutput) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	e.Text("Name", out.Name)
	e.Optional("ResourcePolicy", out.Policy)
	e.Raw("}")
}

func writeValidation(e *encoder, problems []vault.ValidationError) {
	e.Open("{")
	e.Flag("PolicyValidationPassed", len(problems) == 0)
	e.Name("ValidationErrors")
	e.Open("[")
	for _, p := range problems {
		e.Open("{")
		e.Text("CheckName", p.Check)
		e.Text("ErrorMessage", p.Message)
		e.Raw("}")
	}
	e.Raw("]}")
}

func writeReplication(e *encoder, out vault.ReplicationOutput) {
	e.Open("{")
	e.Text("ARN", out.ARN)
	writeReplicas(e, out.Replicas)
	e.Raw("}")
}

// writeFailure writes the body of a refusal.
func writeFailure(e *encoder, f *failure) {
	e.Open("{")
	e.Text("__type", f.code)
	if f.modelled {
		e.Optional("Message", f.text)
	} else {
		e.Optional("message", f.text)
	}
	e.Raw("}")
}
