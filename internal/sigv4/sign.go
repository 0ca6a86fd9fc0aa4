package sigv4

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Sign signs r with a long-term or temporary key at the time now. It sets
// X-Amz-Date and Authorization in r.Header, in place of what was there, and makes
// r.Header if it is nil. Signed are the host, Content-Type and every X-Amz-*
// header that is present, so a session's X-Amz-Security-Token must be set before.
//
// r must be well formed: one value per X-Amz-* header, no line breaks in the
// method, the host or a value, and a query that decodes. Of another r Sign makes
// a signature that no server accepts.
func Sign(r *Request, accessKeyID string, secret []byte, region, service string, now time.Time) {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	now = now.UTC().Truncate(time.Second)
	stamp := now.Format(timeLayout)
	r.Header["X-Amz-Date"] = []string{stamp}
	a := Authorization{
		AccessKeyID:   accessKeyID,
		Date:          stamp[:len(dateLayout)],
		Region:        region,
		Service:       service,
		SignedHeaders: toSign(r.Header),
		Time:          now,
		stamp:         stamp,
	}
	key := DeriveKey(secret, a.Date, region, service)
	a.Signature, _ = signature(r, &a, sha256.Sum256(r.Body), &key)
	r.Header["Authorization"] = []string{string(a.appendHeader(nil))}
}

// toSign returns the sorted names of what [Sign] covers.
func toSign(h http.Header) []string {
	names := []string{"host"}
	for key := range h {
		if key == "Content-Type" || isAmz(key) {
			names = append(names, strings.ToLower(key))
		}
	}
	slices.Sort(names)
	return names
}
