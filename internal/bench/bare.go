package bench

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// ServeBare is the layer that everything is compared with: net/http reads the body
// and answers constant JSON of the size of a secret's.
func ServeBare(l net.Listener, valueBytes int) error {
	answer := []byte(`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000001:secret:bench/0000000-AbCdEf","CreatedDate":1764000000.123,` +
		`"Name":"bench/0000000","SecretString":"` + strings.Repeat("x", valueBytes) + `","VersionId":"00000000-0000-4000-8000-000000000000","VersionStages":["AWSCURRENT"]}`)
	length := strconv.Itoa(len(answer))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.Header()["Content-Type"] = []string{"application/x-amz-json-1.1"}
		w.Header()["Content-Length"] = []string{length}
		_, _ = w.Write(answer)
	})
	srv := &http.Server{Handler: handler}
	return srv.Serve(l)
}
