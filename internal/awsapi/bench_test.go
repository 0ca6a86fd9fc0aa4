package awsapi

import (
	"testing"
	"time"

	"tacet"
	"tacet/internal/vault"
)

// BenchmarkCodec is what the face adds to a GetSecretValue beside the signature:
// reading the request and writing an answer with a value of 1 KiB.
func BenchmarkCodec(b *testing.B) {
	body := []byte(`{"SecretId": "prod/service/database/password"}`)
	value := make([]byte, 1024)
	for i := range value {
		value[i] = "0123456789abcdef"[i%16]
	}
	answer := vault.SecretValue{
		ARN:  "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/service/database/password-a1B2c3",
		Name: "prod/service/database/password", Version: "01234567-89ab-cdef-0123-456789abcdef", Kind: tacet.ValueString,
		Value: tacet.NewPlaintext(value), Stages: []tacet.Stage{tacet.StageCurrent}, Created: time.UnixMilli(1700000000123),
	}
	x := new(exchange)
	b.ReportAllocs()
	for b.Loop() {
		x.body = body
		x.in.reset(x.body)
		var c checks
		in := readGetSecretValue(&x.in, &c)
		if x.in.failed() || c.failure() != nil || in.Secret.Name != answer.Name {
			b.Fatal("not read")
		}
		writeSecretValue(&x.out, answer)
		x.out.reset()
	}
}
