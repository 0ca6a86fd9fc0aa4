package awsapi

import (
	"tacet"
	"tacet/internal/vault"
)

// The inputs of the operations on secrets and versions, one function per shape. Each
// reads the whole object first, so that a broken body is told as one, and then checks
// the members in the order of the API reference.

func readGetSecretValue(d *decoder, c *checks) vault.GetSecretValueInput {
	var id, version, stage text
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "VersionId":
			version = d.Text()
		case "VersionStage":
			stage = d.Text()
		default:
			d.Skip()
		}
	})
	return vault.GetSecretValueInput{
		Secret:  c.secretID(id),
		Version: c.token("versionId", version),
		Stage:   c.stage("versionStage", stage),
	}
}

func readBatchGetSecretValue(d *decoder, c *checks) vault.BatchGetSecretValueInput {
	var ids []text
	var filters []filter
	var hasFilters bool
	var limit integer
	var next text
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretIdList":
			ids = d.texts()
		case "Filters":
			filters, hasFilters = d.filters()
		case "MaxResults":
			limit = d.Integer("Integer")
		case "NextToken":
			next = d.Text()
		default:
			d.Skip()
		}
	})
	in := vault.BatchGetSecretValueInput{}
	for _, id := range c.strings("secretIdList", ids, [2]int{1, 20}, [2]int{1, maxSecretID}, "", nil) {
		ref, ok := tacet.ParseSecretID(id)
		c.badName = c.badName || !ok
		in.Secrets = append(in.Secrets, ref)
	}
	if hasFilters {
		in.Filters = c.filters(filters)
	}
	in.MaxResults = int(c.bounds("maxResults", limit, 1, 20))
	in.NextToken = c.length("nextToken", next, 1, 4096)
	return in
}

func readCreateSecret(d *decoder, c *checks) vault.CreateSecretInput {
	var name, token, description, key, kind text
	var value vault.Value
	var tags []tag
	var replicas []replica
	var hasReplicas bool
	var force boolean
	d.Document(func(member []byte) {
		switch string(member) {
		case "Name":
			name = d.Text()
		case "ClientRequestToken":
			token = d.Text()
		case "Description":
			description = d.Text()
		case "KmsKeyId":
			key = d.Text()
		case "SecretBinary":
			value.Binary = d.SecretBinary()
		case "SecretString":
			value.String = d.Secret()
		case "Tags":
			tags, _ = d.tags()
		case "AddReplicaRegions":
			replicas, hasReplicas = d.replicas()
		case "ForceOverwriteReplicaSecret":
			force = d.Flag()
		case "Type":
			kind = d.Text()
		default:
			d.Skip()
		}
	})
	in := vault.CreateSecretInput{
		Name:        c.newName(name),
		Token:       c.token("clientRequestToken", token),
		Description: c.length("description", description, 0, tacet.MaxDescription),
		KMSKeyID:    c.length("kmsKeyId", key, 0, 2048),
		Value: vault.Value{
			Binary: c.value("secretBinary", value.Binary),
			String: c.value("secretString", value.String),
		},
		ForceOverwriteReplica: force.On,
		Type:                  c.length("type", kind, 0, 256),
	}
	if len(tags) > 0 { // an empty list is what Terraform sends for none
		in.Tags = c.tags(tags)
	}
	if hasReplicas {
		in.Replicas = c.replicas(replicas)
	}
	return in
}

func readUpdateSecret(d *decoder, c *checks) vault.UpdateSecretInput {
	var id, token, description, key, kind text
	var value vault.Value
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "ClientRequestToken":
			token = d.Text()
		case "Description":
			description = d.Text()
		case "KmsKeyId":
			key = d.Text()
		case "SecretBinary":
			value.Binary = d.SecretBinary()
		case "SecretString":
			value.String = d.Secret()
		case "Type":
			kind = d.Text()
		default:
			d.Skip()
		}
	})
	in := vault.UpdateSecretInput{
		Secret: c.secretID(id),
		Token:  c.token("clientRequestToken", token),
	}
	c.length("description", description, 0, tacet.MaxDescription)
	in.Description = description.Pointer()
	c.length("kmsKeyId", key, 0, 2048)
	in.KMSKeyID = key.Pointer()
	in.Value.Binary = c.value("secretBinary", value.Binary)
	in.Value.String = c.value("secretString", value.String)
	c.length("type", kind, 0, 256)
	in.Type = kind.Pointer()
	return in
}

func readPutSecretValue(d *decoder, c *checks) vault.PutSecretValueInput {
	var id, token, rotation text
	var value vault.Value
	var stages []text
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "ClientRequestToken":
			token = d.Text()
		case "SecretBinary":
			value.Binary = d.SecretBinary()
		case "SecretString":
			value.String = d.Secret()
		case "VersionStages":
			stages = d.texts()
		case "RotationToken":
			rotation = d.Text()
		default:
			d.Skip()
		}
	})
	in := vault.PutSecretValueInput{
		Secret: c.secretID(id),
		Token:  c.token("clientRequestToken", token),
		Value: vault.Value{
			Binary: c.value("secretBinary", value.Binary),
			String: c.value("secretString", value.String),
		},
	}
	for _, s := range c.strings("versionStages", stages, [2]int{1, tacet.MaxStages}, [2]int{1, 256}, "", nil) {
		in.Stages = append(in.Stages, tacet.Stage(s))
	}
	in.RotationToken = c.rotationToken(rotation)
	return in
}

func readUpdateStage(d *decoder, c *checks) vault.UpdateStageInput {
	var id, stage, from, to text
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "VersionStage":
			stage = d.Text()
		case "RemoveFromVersionId":
			from = d.Text()
		case "MoveToVersionId":
			to = d.Text()
		default:
			d.Skip()
		}
	})
	in := vault.UpdateStageInput{Secret: c.secretID(id)}
	c.required("versionStage", stage.Set)
	in.Stage = c.stage("versionStage", stage)
	in.RemoveFrom = c.token("removeFromVersionId", from)
	in.MoveTo = c.token("moveToVersionId", to)
	return in
}

func readListVersions(d *decoder, c *checks) vault.ListVersionsInput {
	var id, next text
	var limit integer
	var deprecated boolean
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "MaxResults":
			limit = d.Integer("Integer")
		case "NextToken":
			next = d.Text()
		case "IncludeDeprecated":
			deprecated = d.Flag()
		default:
			d.Skip()
		}
	})
	return vault.ListVersionsInput{
		Secret:            c.secretID(id),
		MaxResults:        int(c.bounds("maxResults", limit, 1, 100)),
		NextToken:         c.length("nextToken", next, 1, 4096),
		IncludeDeprecated: deprecated.On,
	}
}

func readListSecrets(d *decoder, c *checks) vault.ListSecretsInput {
	var planned boolean
	var limit integer
	var next, order, by text
	var filters []filter
	d.Document(func(name []byte) {
		switch string(name) {
		case "IncludePlannedDeletion":
			planned = d.Flag()
		case "MaxResults":
			limit = d.Integer("Integer")
		case "NextToken":
			next = d.Text()
		case "Filters":
			filters, _ = d.filters()
		case "SortOrder":
			order = d.Text()
		case "SortBy":
			by = d.Text()
		default:
			d.Skip()
		}
	})
	return vault.ListSecretsInput{
		IncludePlannedDeletion: planned.On,
		MaxResults:             int(c.bounds("maxResults", limit, 1, 100)),
		NextToken:              c.length("nextToken", next, 1, 4096),
		Filters:                c.filters(filters),
		Descending:             c.enum("sortOrder", order, "asc", "desc") == "desc",
		SortBy:                 c.enum("sortBy", by, "created-date", "last-accessed-date", "last-changed-date", "name"),
	}
}

func readDeleteSecret(d *decoder, c *checks) vault.DeleteSecretInput {
	var id text
	var days integer
	var force boolean
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "RecoveryWindowInDays":
			days = d.Integer("Long")
		case "ForceDeleteWithoutRecovery":
			force = d.Flag()
		default:
			d.Skip()
		}
	})
	in := vault.DeleteSecretInput{Secret: c.secretID(id), Force: force.On}
	if days.Set {
		in.RecoveryDays = &days.N // the model has no range for it: the core checks
	}
	return in
}

// readSecretID reads the input of the operations that take only a secret.
func readSecretID(d *decoder, c *checks) tacet.SecretRef {
	var id text
	d.Document(func(name []byte) {
		if string(name) == "SecretId" {
			id = d.Text()
		} else {
			d.Skip()
		}
	})
	return c.secretID(id)
}

func readRandomPassword(d *decoder, c *checks) vault.RandomPasswordInput {
	var length integer
	var exclude text
	var numbers, punctuation, upper, lower, space, each boolean
	d.Document(func(name []byte) {
		switch string(name) {
		case "PasswordLength":
			length = d.Integer("Long")
		case "ExcludeCharacters":
			exclude = d.Text()
		case "ExcludeNumbers":
			numbers = d.Flag()
		case "ExcludePunctuation":
			punctuation = d.Flag()
		case "ExcludeUppercase":
			upper = d.Flag()
		case "ExcludeLowercase":
			lower = d.Flag()
		case "IncludeSpace":
			space = d.Flag()
		case "RequireEachIncludedType":
			each = d.Flag()
		default:
			d.Skip()
		}
	})
	return vault.RandomPasswordInput{
		Length:             int(c.bounds("passwordLength", length, 1, 4096)),
		ExcludeCharacters:  c.length("excludeCharacters", exclude, 0, 4096),
		ExcludeNumbers:     numbers.On,
		ExcludePunctuation: punctuation.On,
		ExcludeUppercase:   upper.On,
		ExcludeLowercase:   lower.On,
		IncludeSpace:       space.On,
		RequireEachType:    each.On || !each.Set,
	}
}
