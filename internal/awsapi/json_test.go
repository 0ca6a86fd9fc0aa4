package awsapi

import (
	"runtime"
	"strings"
	"testing"
)

// No body makes the input of any operation panic.
func FuzzInputs(f *testing.F) {
	for _, s := range []string{"", "{}", `{"SecretId":"a","VersionId":null}`, `{"SecretBinary":"aGk="}`, `{"Tags":[{"Key":"k","Value":"v"}]}`,
		`{"Filters":[{"Key":"name","Values":["a"]}]}`, `{"AddReplicaRegions":[{"Region":"r"}]}`, `{"RotationRules":{"Duration":"3h"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, body []byte) {
		for _, op := range operations() {
			fuzzRead(op.name, body)
		}
	})
}

// The words of AWS's serialisation layer for a value of the wrong kind.
func TestMismatches(t *testing.T) {
	for value, want := range map[string]string{
		`{}`: "Start of structure or map found where not expected.", `[]`: "Start of list found where not expected.",
		`"1"`: "STRING_VALUE can not be converted to an Integer", `true`: "TRUE_VALUE can not be converted to an Integer",
		`false`: "FALSE_VALUE can not be converted to an Integer", `1.5`: "NUMBER_VALUE can not be converted to an Integer",
		`x`: "The request body is not valid JSON.",
	} {
		var d decoder
		var c checks
		d.Reset([]byte(`{"MaxResults":` + value + `}`))
		if readListSecrets(&d, &c); d.trouble() != want {
			t.Errorf("%s: %q, want %q", value, d.trouble(), want)
		}
	}
}

// fuzzRead runs the input of every operation over a body; it must not panic.
func fuzzRead[T ~string](op T, body []byte) {
	run := func(read func(*decoder, *checks)) {
		var d decoder
		var c checks
		d.Reset(body)
		if read(&d, &c); !d.Failed() {
			_ = c.failure()
		}
	}
	switch string(op) {
	case "BatchGetSecretValue":
		run(func(d *decoder, c *checks) { readBatchGetSecretValue(d, c) })
	case "CreateSecret":
		run(func(d *decoder, c *checks) { readCreateSecret(d, c) })
	case "DeleteSecret":
		run(func(d *decoder, c *checks) { readDeleteSecret(d, c) })
	case "DescribeSecret":
		run(func(d *decoder, c *checks) { readSecretID(d, c) })
	case "GetRandomPassword":
		run(func(d *decoder, c *checks) { readRandomPassword(d, c) })
	case "GetSecretValue":
		run(func(d *decoder, c *checks) { readGetSecretValue(d, c) })
	case "ListSecrets":
		run(func(d *decoder, c *checks) { readListSecrets(d, c) })
	case "ListSecretVersionIds":
		run(func(d *decoder, c *checks) { readListVersions(d, c) })
	case "PutResourcePolicy":
		run(func(d *decoder, c *checks) { readPutPolicy(d, c) })
	case "PutSecretValue":
		run(func(d *decoder, c *checks) { readPutSecretValue(d, c) })
	case "RemoveRegionsFromReplication":
		run(func(d *decoder, c *checks) { readRemoveRegions(d, c) })
	case "ReplicateSecretToRegions":
		run(func(d *decoder, c *checks) { readReplicate(d, c) })
	case "RotateSecret":
		run(func(d *decoder, c *checks) { readRotateSecret(d, c) })
	case "TagResource":
		run(func(d *decoder, c *checks) { readTagResource(d, c) })
	case "UntagResource":
		run(func(d *decoder, c *checks) { readUntagResource(d, c) })
	case "UpdateSecret":
		run(func(d *decoder, c *checks) { readUpdateSecret(d, c) })
	case "UpdateSecretVersionStage":
		run(func(d *decoder, c *checks) { readUpdateStage(d, c) })
	case "ValidateResourcePolicy":
		run(func(d *decoder, c *checks) { readValidatePolicy(d, c) })
	}
}

// Threat 28: a body made of depth, width, duplicates or escapes costs no more memory
// than a small multiple of its size.
func TestThreat28_MemoryIsBounded(t *testing.T) {
	const size = 1 << 20
	for name, body := range map[string]string{
		"depth":   strings.Repeat(`{"a":`, size/5),
		"arrays":  strings.Repeat("[", size),
		"members": "{" + strings.Repeat(`"a":1,`, size/6) + "}",
		"names":   `{"` + strings.Repeat(`\u0061`, size/6) + `":1}`,
		"numbers": `{"a":[` + strings.Repeat("1,", size/2) + "1]}",
		"filters": `{"Filters":[` + strings.Repeat(`{},`, size/3) + `{}]}`,
		"tags":    `{"Tags":[` + strings.Repeat(`{"Key":"k"},`, size/12) + `{}]}`,
		"strings": `{"SecretString":"` + strings.Repeat(`\u00e9`, size/6) + `"}`,
		"ids":     `{"SecretIdList":[` + strings.Repeat(`"",`, size/3) + `""]}`,
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, op := range operations() {
				fuzzRead(op.name, raw)
			}
			runtime.ReadMemStats(&after)
			per := (after.TotalAlloc - before.TotalAlloc) / uint64(len(operations()))
			if per > 3*size {
				t.Errorf("%d bytes allocated for a body of %d", per, len(body))
			}
		})
	}
}

// A value read must not change when the body's buffer is used for another request.
func TestDecodedValuesAreCopies(t *testing.T) {
	body := []byte(`{"SecretId":"name","SecretString":"first","ClientRequestToken":"t"}`)
	var d decoder
	var c checks
	d.Reset(body)
	in := readPutSecretValue(&d, &c)
	clear(body)
	if string(in.Value.String.Reveal()) != "first" || in.Secret.Name != "name" || in.Token != "t" {
		t.Error("an input shares memory with the body")
	}
}
