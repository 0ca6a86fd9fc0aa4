package awsapi

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

// refusal runs an operation over a body that must be refused before the core is asked.
func refusal(t *testing.T, op tacet.Operation, body string) *failure {
	t.Helper()
	for _, row := range operations() {
		if row.name == op {
			var f *failure
			if err := row.serve(context.Background(), nil, tacet.Call{}, &exchange{body: wire.Body{Bytes: []byte(body)}}); !errors.As(err, &f) {
				t.Fatalf("%s %.80s: %v", op, body, err)
			}
			return f
		}
	}
	t.Fatalf("no operation %s", op)
	return nil
}

func TestContractA3_Serialization(t *testing.T) {
	for _, tt := range []struct {
		op         tacet.Operation
		body, text string
	}{
		{tacet.OpGetSecretValue, `{"SecretId":1}`, "NUMBER_VALUE can not be converted to a String"},
		{tacet.OpGetSecretValue, `{"SecretId":-1.5e3}`, "NUMBER_VALUE can not be converted to a String"},
		{tacet.OpGetSecretValue, `{"SecretId":true}`, "TRUE_VALUE can not be converted to a String"},
		{tacet.OpGetSecretValue, `{"SecretId":false}`, "FALSE_VALUE can not be converted to a String"},
		{tacet.OpGetSecretValue, `{"SecretId":{}}`, "Start of structure or map found where not expected."},
		{tacet.OpGetSecretValue, `{"SecretId":[]}`, "Start of list found where not expected."},
		{tacet.OpListSecrets, `{"MaxResults":"1"}`, "STRING_VALUE can not be converted to an Integer"},
		{tacet.OpListSecrets, `{"MaxResults":1.5}`, "NUMBER_VALUE can not be converted to an Integer"},
		{tacet.OpListSecrets, `{"MaxResults":99999999999999999999}`, "NUMBER_VALUE can not be converted to an Integer"},
		{tacet.OpListSecrets, `{"IncludePlannedDeletion":"true"}`, "STRING_VALUE can not be converted to a Boolean"},
		{tacet.OpListSecrets, `{"Filters":"a"}`, "STRING_VALUE can not be converted to a List"},
		{tacet.OpListSecrets, `{"Filters":["a"]}`, "STRING_VALUE can not be converted to a Structure"},
		{tacet.OpListSecrets, `{"Filters":[{"Values":[1]}]}`, "NUMBER_VALUE can not be converted to a String"},
		{tacet.OpDeleteSecret, `{"RecoveryWindowInDays":"7"}`, "STRING_VALUE can not be converted to a Long"},
		{tacet.OpPutSecretValue, `{"SecretString":12345}`, "NUMBER_VALUE can not be converted to a String"},
		{tacet.OpPutSecretValue, `{"SecretBinary":12345}`, "NUMBER_VALUE can not be converted to a Blob"},
		{tacet.OpPutSecretValue, `{"SecretBinary":"a"}`, "A binary value is not valid base64."},
		{tacet.OpPutSecretValue, `{"VersionStages":{}}`, "Start of structure or map found where not expected."},
		{tacet.OpRotateSecret, `{"RotationRules":[]}`, "Start of list found where not expected."},
		{tacet.OpGetSecretValue, `{"SecretId":"a"`, "The request body is not valid JSON."},
		{tacet.OpGetSecretValue, `[]`, "The request body is not a JSON object."},
		{tacet.OpGetSecretValue, `{"SecretId":"a","SecretId":"b"}`, "The request body has a member twice."},
		// A broken body is told before a broken constraint.
		{tacet.OpGetSecretValue, `{"SecretId":"","VersionId":1}`, "NUMBER_VALUE can not be converted to a String"},
	} {
		f := refusal(t, tt.op, tt.body)
		if f.status != 400 || f.code != "SerializationException" || f.text != tt.text || f.modelled {
			t.Errorf("%s %s: %+v", tt.op, tt.body, f)
		}
	}
}

func TestContractA3_Constraints(t *testing.T) {
	chars := func(n int) string { return strings.Repeat("a", n) }
	id := `"SecretId":"a"`
	for _, tt := range []struct {
		op   tacet.Operation
		body string
		list string // the text behind "detected: "
	}{
		// Required members, of every operation.
		{tacet.OpGetSecretValue, ``, "Value null at 'secretId' failed to satisfy constraint: Member must not be null"},
		{tacet.OpGetSecretValue, `{"SecretId":null}`, "Value null at 'secretId' failed to satisfy constraint: Member must not be null"},
		{tacet.OpGetSecretValue, `{"secretId":"a"}`, "Value null at 'secretId' failed to satisfy constraint: Member must not be null"},
		{tacet.OpCreateSecret, `{}`, "Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{tacet.OpPutResourcePolicy, `{}`, "Value null at 'secretId' failed to satisfy constraint: Member must not be null; Value null at 'resourcePolicy' failed to satisfy constraint: Member must not be null"},
		{tacet.OpValidateResourcePolicy, `{}`, "Value null at 'resourcePolicy' failed to satisfy constraint: Member must not be null"},
		{tacet.OpUpdateSecretVersionStage, `{` + id + `}`, "Value null at 'versionStage' failed to satisfy constraint: Member must not be null"},
		{tacet.OpTagResource, `{` + id + `}`, "Value null at 'tags' failed to satisfy constraint: Member must not be null"},
		{tacet.OpUntagResource, `{` + id + `}`, "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"},
		{tacet.OpReplicateSecretToRegions, `{` + id + `}`, "Value null at 'addReplicaRegions' failed to satisfy constraint: Member must not be null"},
		{tacet.OpRemoveRegionsFromReplication, `{` + id + `}`, "Value null at 'removeReplicaRegions' failed to satisfy constraint: Member must not be null"},
		// Lengths.
		{tacet.OpGetSecretValue, `{"SecretId":""}`, "Value '' at 'secretId' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpGetSecretValue, `{"SecretId":"` + chars(2049) + `"}`, "Value '" + chars(2049) + "' at 'secretId' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{tacet.OpGetSecretValue, `{` + id + `,"VersionId":"short"}`, "Value 'short' at 'versionId' failed to satisfy constraint: Member must have length greater than or equal to 32"},
		{tacet.OpGetSecretValue, `{` + id + `,"VersionId":""}`, "Value '' at 'versionId' failed to satisfy constraint: Member must have length greater than or equal to 32"},
		{tacet.OpGetSecretValue, `{` + id + `,"VersionStage":""}`, "Value '' at 'versionStage' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpCreateSecret, `{"Name":"` + chars(513) + `"}`, "Value '" + chars(513) + "' at 'name' failed to satisfy constraint: Member must have length less than or equal to 512"},
		{tacet.OpCreateSecret, `{"Name":"a","ClientRequestToken":"` + chars(65) + `"}`, "Value '" + chars(65) + "' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{tacet.OpCreateSecret, `{"Name":"a","Description":"` + chars(2049) + `"}`, "Value '" + chars(2049) + "' at 'description' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{tacet.OpCreateSecret, `{"Name":"a","Type":"` + chars(257) + `"}`, "Value '" + chars(257) + "' at 'type' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{tacet.OpCreateSecret, `{"Name":"a","AddReplicaRegions":[]}`, "Value '[]' at 'addReplicaRegions' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpListSecrets, `{"NextToken":""}`, "Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpGetRandomPassword, `{"ExcludeCharacters":"` + chars(4097) + `"}`, "Value '" + chars(4097) + "' at 'excludeCharacters' failed to satisfy constraint: Member must have length less than or equal to 4096"},
		{tacet.OpPutResourcePolicy, `{` + id + `,"ResourcePolicy":""}`, "Value '' at 'resourcePolicy' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpPutResourcePolicy, `{` + id + `,"ResourcePolicy":"` + chars(20481) + `"}`, "Value '" + chars(20481) + "' at 'resourcePolicy' failed to satisfy constraint: Member must have length less than or equal to 20480"},
		{tacet.OpPutResourcePolicy, `{` + id + `,"ResourcePolicy":"` + chars(maxEcho+1) + `"}`, "Value '" + chars(maxEcho) + "' at 'resourcePolicy' failed to satisfy constraint: Member must have length less than or equal to 20480"},
		// Ranges.
		{tacet.OpListSecrets, `{"MaxResults":0}`, "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{tacet.OpListSecrets, `{"MaxResults":101}`, "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{tacet.OpListSecretVersionIDs, `{` + id + `,"MaxResults":101}`, "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{tacet.OpBatchGetSecretValue, `{"MaxResults":21}`, "Value '21' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 20"},
		{tacet.OpGetRandomPassword, `{"PasswordLength":0}`, "Value '0' at 'passwordLength' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{tacet.OpGetRandomPassword, `{"PasswordLength":4097}`, "Value '4097' at 'passwordLength' failed to satisfy constraint: Member must have value less than or equal to 4096"},
		{tacet.OpRotateSecret, `{` + id + `,"RotationRules":{"AutomaticallyAfterDays":1001}}`, "Value '1001' at 'rotationRules.automaticallyAfterDays' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		// Values are never repeated.
		{tacet.OpPutSecretValue, `{` + id + `,"SecretString":"` + chars(65537) + `"}`, "Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"},
		{tacet.OpPutSecretValue, `{` + id + `,"SecretString":""}`, "Value at 'secretString' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpCreateSecret, `{"Name":"a","SecretString":"` + strings.Repeat("é", 32769) + `"}`, "Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"},
		{tacet.OpUpdateSecret, `{` + id + `,"SecretBinary":"` + base64.StdEncoding.EncodeToString(make([]byte, 65537)) + `"}`, "Value at 'secretBinary' failed to satisfy constraint: Member must have length less than or equal to 65536"},
		{tacet.OpUpdateSecret, `{` + id + `,"SecretBinary":""}`, "Value at 'secretBinary' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpPutSecretValue, `{` + id + `,"RotationToken":"!"}`, "Value at 'rotationToken' failed to satisfy constraint: Member must have length greater than or equal to 36; Value at 'rotationToken' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9\\-]+$"},
		// Patterns and enumerations.
		{tacet.OpListSecrets, `{"SortOrder":"up"}`, "Value 'up' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum value set: [asc, desc]"},
		{tacet.OpListSecrets, `{"SortBy":"size"}`, "Value 'size' at 'sortBy' failed to satisfy constraint: Member must satisfy enum value set: [created-date, last-accessed-date, last-changed-date, name]"},
		{tacet.OpListSecrets, `{"Filters":[{"Key":"Name","Values":["a"]}]}`, "Value 'Name' at 'filters.1.member.key' failed to satisfy constraint: Member must satisfy enum value set: [description, name, tag-key, tag-value, primary-region, owning-service, all]"},
		{tacet.OpListSecrets, `{"Filters":[{"Key":"name","Values":["a"]},{"Key":"x","Values":["a"]}]}`, "Value 'x' at 'filters.2.member.key' failed to satisfy constraint: Member must satisfy enum value set: [description, name, tag-key, tag-value, primary-region, owning-service, all]"},
		{tacet.OpReplicateSecretToRegions, `{` + id + `,"AddReplicaRegions":[{"Region":"Mars"}]}`, "Value 'Mars' at 'addReplicaRegions.1.member.region' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([a-z]+-)+\\d+$"},
		{tacet.OpRotateSecret, `{` + id + `,"RotationRules":{"Duration":"xx"}}`, "Value 'xx' at 'rotationRules.duration' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9]+h"},
		{tacet.OpRotateSecret, `{` + id + `,"RotationRules":{"ScheduleExpression":"rate{1}"}}`, "Value 'rate{1}' at 'rotationRules.scheduleExpression' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9A-Za-z\\(\\)#\\?\\*\\-\\/, ]+"},
		// Lists and their members.
		{tacet.OpTagResource, `{` + id + `,"Tags":[{"Value":"v"},{"Key":""}]}`, "Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null; Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpTagResource, `{` + id + `,"Tags":[{"Key":"` + chars(129) + `","Value":"` + chars(257) + `"}]}`, "Value '" + chars(129) + "' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128; Value '" + chars(257) + "' at 'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{tacet.OpBatchGetSecretValue, `{"SecretIdList":[]}`, "Value '[]' at 'secretIdList' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpBatchGetSecretValue, `{"SecretIdList":["a"` + strings.Repeat(`,"a"`, 20) + `]}`, "Value '[a" + strings.Repeat(", a", 20) + "]' at 'secretIdList' failed to satisfy constraint: Member must have length less than or equal to 20"},
		{tacet.OpBatchGetSecretValue, `{"SecretIdList":[null]}`, "Value '[null]' at 'secretIdList' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must not be null]"},
		{tacet.OpPutSecretValue, `{` + id + `,"VersionStages":[]}`, "Value '[]' at 'versionStages' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpPutSecretValue, `{` + id + `,"VersionStages":["A",""]}`, "Value '[A, ]' at 'versionStages' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1, Member must not be null]"},
		{tacet.OpListSecrets, `{"Filters":[{"Key":"name","Values":[]}]}`, "Value '[]' at 'filters.1.member.values' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{tacet.OpListSecrets, `{"Filters":[{"Key":"name","Values":["a*"]}]}`, "Value '[a*]' at 'filters.1.member.values' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 512, Member must satisfy regular expression pattern: ^\\!?[a-zA-Z0-9 :_@\\/\\+\\=\\.\\-\\!]*$, Member must not be null]"},
		{tacet.OpListSecrets, `{"Filters":[` + strings.Repeat(`{"Key":"name","Values":["a"]},`, 10) + `{"Key":"name","Values":["a"]}]}`, "Value at 'filters' failed to satisfy constraint: Member must have length less than or equal to 10"},
		{tacet.OpRemoveRegionsFromReplication, `{` + id + `,"RemoveReplicaRegions":[]}`, "Value '[]' at 'removeReplicaRegions' failed to satisfy constraint: Member must have length greater than or equal to 1"},
	} {
		n := strings.Count(tt.list, " at '")
		want := "1 validation error detected: " + tt.list
		if n > 1 {
			want = "2 validation errors detected: " + tt.list
		}
		f := refusal(t, tt.op, tt.body)
		if f.code != "ValidationException" || f.status != 400 || f.modelled || f.text != want {
			t.Errorf("%s %.80s: %s\n got %.400s\nwant %.400s", tt.op, tt.body, f.code, f.text, want)
		}
	}
}

func TestContractA3_Names(t *testing.T) {
	for _, tt := range []struct {
		op   tacet.Operation
		body string
	}{
		{tacet.OpCreateSecret, `{"Name":"a b"}`}, {tacet.OpCreateSecret, `{"Name":"rds!a"}`}, {tacet.OpCreateSecret, `{"Name":"arn:a"}`},
		{tacet.OpCreateSecret, `{"Name":"é"}`}, {tacet.OpGetSecretValue, `{"SecretId":"a*"}`}, {tacet.OpGetSecretValue, `{"SecretId":"arn:aws:x"}`},
		{tacet.OpDescribeSecret, `{"SecretId":"a b"}`}, {tacet.OpDeleteSecret, `{"SecretId":"a b"}`}, {tacet.OpRestoreSecret, `{"SecretId":"a b"}`},
		{tacet.OpBatchGetSecretValue, `{"SecretIdList":["a","b c"]}`}, {tacet.OpValidateResourcePolicy, `{"SecretId":"a b","ResourcePolicy":"{}"}`},
	} {
		f := refusal(t, tt.op, tt.body)
		if f.code != "ValidationException" || f.text != "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!" {
			t.Errorf("%s %s: %+v", tt.op, tt.body, f)
		}
	}
}

func TestContractB9_FilterWithoutKeyOrValues(t *testing.T) {
	for body, text := range map[string]string{
		`{"Filters":[{"Values":["a"]}]}`:                               "Invalid filter key",
		`{"Filters":[{}]}`:                                             "Invalid filter key",
		`{"Filters":[{"Key":"name"}]}`:                                 "Invalid filter values for key: name",
		`{"Filters":[{"Key":"all","Values":["a"]},{"Key":"tag-key"}]}`: "Invalid filter values for key: tag-key",
	} {
		for _, op := range []tacet.Operation{tacet.OpListSecrets, tacet.OpBatchGetSecretValue} {
			if f := refusal(t, op, body); f.code != "InvalidParameterException" || f.text != text || !f.modelled {
				t.Errorf("%s %s: %+v", op, body, f)
			}
		}
	}
}

func TestContractB14_DaysAndScheduleTogether(t *testing.T) {
	f := refusal(t, tacet.OpRotateSecret, `{"SecretId":"a","RotationRules":{"AutomaticallyAfterDays":1,"ScheduleExpression":"rate(1 days)"}}`)
	if f.code != "InvalidParameterException" || f.text != "You cannot specify both rotation frequency and schedule expression together." {
		t.Errorf("%+v", f)
	}
}

// The patterns are written as loops; they must accept what the expressions do.
func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		match     func(string) bool
		good, bad []string
	}{
		{matchRegion, []string{"eu-central-1", "us-gov-west-1", "a-0", "cn-north-12"}, []string{"", "eu", "1", "-1", "eu-", "eu--1", "eu-1-a", "Eu-1", "eu-central-1a", "eu central-1", "eu1-1"}},
		{matchFilterValue, []string{"", "!", "!a", "a b:c_d@e/f+g=h.i-j", "a!b"}, []string{"*", "é", "a\n", "a,b"}},
		{matchRotationToken, []string{"a", "-", "a-B-0"}, []string{"", "a_b", "é", "a b"}},
		{matchSchedule, []string{"rate(4 hours)", "cron(0 8 ? * 2#1 *)", "L,-/"}, []string{"", "rate{1}", "é", "a\n"}},
		{matchDuration, []string{"3h", "24h"}, []string{"", "h", "3", "3m", "xh", "3hh", "-1h"}},
	} {
		for _, s := range tt.good {
			if !tt.match(s) {
				t.Errorf("%q refused", s)
			}
		}
		for _, s := range tt.bad {
			if tt.match(s) {
				t.Errorf("%q accepted", s)
			}
		}
	}
}

// read runs one input function over a body that is right.
func read[In any](t *testing.T, f func(*decoder, *checks) In, body string) In {
	t.Helper()
	var d decoder
	var c checks
	d.Reset([]byte(body))
	in := f(&d, &c)
	if d.Failed() || c.failure() != nil {
		t.Fatalf("%s: %s %v", body, d.Problem(), c.failure())
	}
	return in
}

func TestContractA1_UnknownAndNullMembers(t *testing.T) {
	in := read(t, readGetSecretValue, `{"Unknown":{"SecretId":["x",null,1.5]},"SecretId":"a","VersionId":null,"versionStage":"x","VersionStage":"AWSPENDING"}`)
	if in.Secret.Name != "a" || in.Version != "" || in.Stage != "AWSPENDING" {
		t.Errorf("%+v", in)
	}
}

func TestReadAbsentAndEmpty(t *testing.T) {
	create := read(t, readCreateSecret, `{"Name":"a","Description":"","Tags":[],"KmsKeyId":""}`)
	if create.Tags != nil || create.Replicas != nil || !create.Value.IsZero() {
		t.Errorf("%+v", create)
	}
	update := read(t, readUpdateSecret, `{"SecretId":"a","Description":"","KmsKeyId":""}`)
	if update.Description == nil || *update.Description != "" || update.KMSKeyID == nil || update.Type != nil {
		t.Errorf("%+v", update)
	}
	if put := read(t, readPutSecretValue, `{"SecretId":"a"}`); put.Stages != nil {
		t.Errorf("%+v", put)
	}
	if del := read(t, readDeleteSecret, `{"SecretId":"a","RecoveryWindowInDays":0}`); del.RecoveryDays == nil || *del.RecoveryDays != 0 {
		t.Errorf("%+v", del)
	}
	if del := read(t, readDeleteSecret, `{"SecretId":"a"}`); del.RecoveryDays != nil || del.Force {
		t.Errorf("%+v", del)
	}
	batch := read(t, readBatchGetSecretValue, `{"SecretIdList":["a","b"]}`)
	if len(batch.Secrets) != 2 || batch.Filters != nil {
		t.Errorf("%+v", batch)
	}
	if p := read(t, readRandomPassword, ``); !p.RequireEachType || p.Length != 0 {
		t.Errorf("%+v", p)
	}
	if p := read(t, readRandomPassword, `{"RequireEachIncludedType":false,"PasswordLength":8}`); p.RequireEachType || p.Length != 8 {
		t.Errorf("%+v", p)
	}
}

func TestReadEverything(t *testing.T) {
	token := strings.Repeat("t", 32)
	create := read(t, readCreateSecret, `{"Name":"n","ClientRequestToken":"`+token+`","Description":"d","KmsKeyId":"k","SecretString":"s","SecretBinary":"Yg==",
		"Tags":[{"Key":"a","Value":"1"},{"Key":"b"}],"AddReplicaRegions":[{"Region":"eu-west-1","KmsKeyId":"rk"}],"ForceOverwriteReplicaSecret":true,"Type":"y"}`)
	if create.Name != "n" || string(create.Token) != token || create.Description != "d" || create.KMSKeyID != "k" || create.Type != "y" ||
		string(create.Value.String.Reveal()) != "s" || string(create.Value.Binary.Reveal()) != "b" || !create.ForceOverwriteReplica ||
		len(create.Tags) != 2 || create.Tags[0] != (tacet.Tag{Key: "a", Value: "1"}) || create.Tags[1] != (tacet.Tag{Key: "b"}) ||
		len(create.Replicas) != 1 || create.Replicas[0] != (vault.ReplicaRequest{Region: "eu-west-1", KMSKeyID: "rk"}) {
		t.Errorf("%+v", create)
	}
	put := read(t, readPutSecretValue, `{"SecretId":"n","VersionStages":["A","B"],"RotationToken":"`+strings.Repeat("r", 36)+`"}`)
	if len(put.Stages) != 2 || put.Stages[1] != "B" || len(put.RotationToken) != 36 {
		t.Errorf("%+v", put)
	}
	list := read(t, readListSecrets, `{"Filters":[{"Key":"tag-key","Values":["x","!y"]}],"IncludePlannedDeletion":true,"MaxResults":5,"NextToken":"nt","SortBy":"name","SortOrder":"desc"}`)
	if len(list.Filters) != 1 || list.Filters[0].Key != "tag-key" || len(list.Filters[0].Values) != 2 || !list.IncludePlannedDeletion ||
		list.MaxResults != 5 || list.NextToken != "nt" || list.SortBy != "name" || !list.Descending {
		t.Errorf("%+v", list)
	}
	stage := read(t, readUpdateStage, `{"SecretId":"n","VersionStage":"S","RemoveFromVersionId":"`+token+`","MoveToVersionId":"`+token+`"}`)
	if stage.Stage != "S" || string(stage.RemoveFrom) != token || string(stage.MoveTo) != token {
		t.Errorf("%+v", stage)
	}
	rotate := read(t, readRotateSecret, `{"SecretId":"n","ClientRequestToken":"`+token+`","RotationLambdaARN":"arn:x","RotationRules":{"Duration":"3h","ScheduleExpression":"rate(4 hours)"},
		"ExternalSecretRotationMetadata":[{"Key":"k","Value":"v"}],"ExternalSecretRotationRoleArn":"`+strings.Repeat("r", 20)+`","RotateImmediately":false}`)
	if rotate.Secret.Name != "n" || string(rotate.Token) != token {
		t.Errorf("%+v", rotate)
	}
}

// A region longer than any is well formed to AWS's model, and is no region.
func TestReplicaRegionLength(t *testing.T) {
	for n, want := range map[int]string{tacet.MaxRegion: "", tacet.MaxRegion + 1: "InvalidParameterException", 129: "ValidationException"} {
		var d decoder
		var c checks
		d.Reset([]byte(`{"SecretId":"a","AddReplicaRegions":[{"Region":"` + strings.Repeat("r", n-2) + `-1"}]}`))
		readReplicate(&d, &c)
		got := ""
		if err := c.failure(); err != nil {
			got = translate("", err).code
		}
		if got != want || d.Failed() {
			t.Errorf("%d characters: %q, want %q", n, got, want)
		}
	}
}
