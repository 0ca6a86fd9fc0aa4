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
	d.document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.text()
		case "VersionId":
			version = d.text()
		case "VersionStage":
			stage = d.text()
		default:
			d.skip()
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
	d.document(func(name []byte) {
		switch string(name) {
		case "SecretIdList":
			ids = d.texts()
		case "Filters":
			filters, hasFilters = d.filters()
		case "MaxResults":
			limit = d.integer("Integer")
		case "NextToken":
			next = d.text()
		default:
			d.skip()
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
	d.document(func(member []byte) {
		switch string(member) {
		case "Name":
			name = d.text()
		case "ClientRequestToken":
			token = d.text()
		case "Description":
			description = d.text()
		case "KmsKeyId":
			key = d.text()
		case "SecretBinary":
			value.Binary = d.secretBinary()
		case "SecretString":
			value.String = d.secret()
		case "Tags":
			tags, _ = d.tags()
		case "AddReplicaRegions":
			replicas, hasReplicas = d.replicas()
		case "ForceOverwriteReplicaSecret":
			force = d.flag()
		case "Type":
			kind = d.text()
		default:
			d.skip()
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
		ForceOverwriteReplica: force.on,
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
	d.document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.text()
		case "ClientRequestToken":
			token = d.text()
		case "Description":
			description = d.text()
		case "KmsKeyId":
			key = d.text()
		case "SecretBinary":
			value.Binary = d.secretBinary()
		case "SecretString":
			value.String = d.secret()
		case "Type":
			kind = d.text()
		default:
			d.skip()
		}
	})
	in := vault.UpdateSecretInput{
		Secret: c.secretID(id),
		Token:  c.token("clientRequestToken", token),
	}
	c.length("description", description, 0, tacet.MaxDescription)
	in.Description = description.pointer()
	c.length("kmsKeyId", key, 0, 2048)
	in.KMSKeyID = key.pointer()
	in.Value.Binary = c.value("secretBinary", value.Binary)
	in.Value.String = c.value("secretString", value.String)
	c.length("type", kind, 0, 256)
	in.Type = kind.pointer()
	return in
}

func readPutSecretValue(d *decoder, c *checks) vault.PutSecretValueInput {
	var id, token, rotation text
	var value vault.Value
	var stages []text
	d.document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.text()
		case "ClientRequestToken":
			token = d.text()
		case "SecretBinary":
			value.Binary = d.secretBinary()
		case "SecretString":
			value.String = d.secret()
		case "VersionStages":
			stages = d.texts()
		case "RotationToken":
			rotation = d.text()
		default:
			d.skip()
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
	d.document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.text()
		case "VersionStage":
			stage = d.text()
		case "RemoveFromVersionId":
			from = d.text()
		case "MoveToVersionId":
			to = d.text()
		default:
			d.skip()
		}
	})
	in := vault.UpdateStageInput{Secret: c.secretID(id)}
	c.required("versionStage", stage.set)
	in.Stage = c.stage("versionStage", stage)
	in.RemoveFrom = c.token("removeFromVersionId", from)
	in.MoveTo = c.token("moveToVersionId", to)
	return in
}

func readListVersions(d *decoder, c *checks) vault.ListVersionsInput {
	var id, next text
	var limit integer
	var deprecated boolean
	d.document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.text()
		case "MaxResults":
			limit = d.integer("Integer")
		case "NextToken":
			next = d.text()
		case "IncludeDeprecated":
			deprecated = d.flag()
		default:
			d.skip()
		}
	})
	return vault.ListVersionsInput{
		Secret:            c.secretID(id),
		MaxResults:        int(c.bounds("maxResults", limit, 1, 100)),
		NextToken:         c.length("nextToken", next, 1, 4096),
		IncludeDeprecated: deprecated.on,
	}
}

func readListSecrets(d *decoder, c *checks) vault.ListSecretsInput {
	var planned boolean
	var limit integer
	var next, order, by text
	var filters []filter
	d.document(func(name []byte) {
		switch string(name) {
		case "IncludePlannedDeletion":
			planned = d.flag()
		case "MaxResults":
			limit = d.integer("Integer")
		case "NextToken":
			next = d.text()
		case "Filters":
			filters, _ = d.filters()
		case "SortOrder":
			order = d.text()
		case "SortBy":
			by = d.text()
		default:
			d.skip()
		}
	})
	return vault.ListSecretsInput{
		IncludePlannedDeletion: planned.on,
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
	d.document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.text()
		case "RecoveryWindowInDays":
			days = d.integer("Long")
		case "ForceDeleteWithoutRecovery":
			force = d.flag()
		default:
			d.skip()
		}
	})
	in := vault.DeleteSecretInput{Secret: c.secretID(id), Force: force.on}
	if days.set {
		in.RecoveryDays = &days.n // the model has no range for it: the core checks
	}
	return in
}

// readSecretID reads the input of the operations that take only a secret.
func readSecretID(d *decoder, c *checks) tacet.SecretRef {
	var id text
	d.document(func(name []byte) {
		if string(name) == "SecretId" {
			id = d.text()
		} else {
			d.skip()
		}
	})
	return c.secretID(id)
}

func readRandomPassword(d *decoder, c *checks) vault.RandomPasswordInput {
	var length integer
	var exclude text
	var numbers, punctuation, upper, lower, space, each boolean
	d.document(func(name []byte) {
		switch string(name) {
		case "PasswordLength":
			length = d.integer("Long")
		case "ExcludeCharacters":
			exclude = d.text()
		case "ExcludeNumbers":
			numbers = d.flag()
		case "ExcludePunctuation":
			punctuation = d.flag()
		case "ExcludeUppercase":
			upper = d.flag()
		case "ExcludeLowercase":
			lower = d.flag()
		case "IncludeSpace":
			space = d.flag()
		case "RequireEachIncludedType":
			each = d.flag()
		default:
			d.skip()
		}
	})
	return vault.RandomPasswordInput{
		Length:             int(c.bounds("passwordLength", length, 1, 4096)),
		ExcludeCharacters:  c.length("excludeCharacters", exclude, 0, 4096),
		ExcludeNumbers:     numbers.on,
		ExcludePunctuation: punctuation.on,
		ExcludeUppercase:   upper.on,
		ExcludeLowercase:   lower.on,
		IncludeSpace:       space.on,
		RequireEachType:    each.on || !each.set,
	}
}
