package awsapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/sigv4"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

const benchBody = `{"SecretId": "prod/service/database/password"}`

func benchAnswer() vault.SecretValue {
	return vault.SecretValue{
		ARN:  "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/service/database/password-a1B2c3",
		Name: "prod/service/database/password", Version: "01234567-89ab-cdef-0123-456789abcdef", Kind: tacet.ValueString,
		Value:  tacet.NewPlaintext([]byte(strings.Repeat("0123456789abcdef", 64))),
		Stages: []tacet.Stage{tacet.StageCurrent}, Created: time.UnixMilli(1700000000123),
	}
}

// BenchmarkCodec is reading the request of a GetSecretValue and writing an answer with
// a value of 1 KiB.
func BenchmarkCodec(b *testing.B) {
	body, answer := []byte(benchBody), benchAnswer()
	x := new(exchange)
	b.ReportAllocs()
	for b.Loop() {
		x.body.Bytes = body
		x.in.Reset(x.body.Bytes)
		var c checks
		in := readGetSecretValue(&x.in, &c)
		if x.in.Failed() || c.failure() != nil || in.Secret.Name != answer.Name {
			b.Fatal("not read")
		}
		writeSecretValue(&x.out, answer)
		x.out.Reset()
	}
}

// nowhere takes an answer and forgets it.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w nowhere) WriteHeader(int)             {}

// BenchmarkFace is everything the face does for a GetSecretValue: the signature, the
// codec and the headers. What net/http and the core do is not in it.
func BenchmarkFace(b *testing.B) {
	answer, now := benchAnswer(), time.Now()
	row := operation{name: tacet.OpGetSecretValue, serve: serve(readGetSecretValue,
		func(*vault.Service, context.Context, tacet.Call, vault.GetSecretValueInput) (vault.SecretValue, error) {
			return answer, nil
		}, writeSecretValue)}
	h := New(Config{Now: func() time.Time { return now }})
	secret := []byte("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("User-Agent", "aws-sdk-go-v2/1.30.0 os/linux lang/go#1.26 api/secretsmanager#1.30.0")
	req := sigv4.Request{Method: r.Method, EscapedPath: "/", Host: r.Host, Header: r.Header, Body: []byte(benchBody)}
	sigv4.Sign(&req, "AKIAIOSFODNN7EXAMPLE", secret, "eu-central-1", "secretsmanager", now)
	w := nowhere{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		x, _ := h.exchanges.Get().(*exchange)
		x.w, x.r, x.id = w, r, wire.NewRequestID()
		if err := checkTarget(r); err != nil {
			b.Fatal(err)
		}
		sr := sigv4.Request{Method: r.Method, EscapedPath: r.URL.EscapedPath(), Host: r.Host, Header: r.Header}
		a, err := sigv4.Parse(&sr)
		if err != nil {
			b.Fatal(err)
		}
		x.body.Bytes = append(x.body.Bytes[:0], benchBody...)
		call, err := h.verify(claim{a, &sr, identity.Credential{Secret: tacet.NewPlaintext(secret), Generation: "1"}, now}, r, x.body.Bytes)
		if err == nil {
			err = row.serve(r.Context(), nil, call, x)
		}
		if h.answer(x, err); err != nil {
			b.Fatal(err)
		}
		x.reset()
		h.exchanges.Put(x)
	}
}
