package awsapi

import (
	"errors"
	"net/http"
	"strings"

	"tacet"
	"tacet/internal/wire"
)

// checkTarget refuses every request that is not POST to exactly "/". A path that two
// readers could read differently is refused in another way than one that is not there,
// before anything else is looked at.
func checkTarget(r *http.Request) error {
	path := r.RequestURI
	if path == "" { // a request made in the process
		path = r.URL.EscapedPath()
	}
	path, _, _ = strings.Cut(path, "?")
	path = wire.WithoutOrigin(path)
	switch {
	case path == "/":
	case ambiguous(path):
		return errBadPath
	default:
		return errNoSuchPath
	}
	if r.Method != http.MethodPost {
		return errBadMethod
	}
	return nil
}

// ambiguous reports whether a path has dot segments, empty segments, parameters, a
// backslash, control characters, or escapes of any of these; or is none.
func ambiguous(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsAny(path, "\\;") {
		return true
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	for i := range len(path) {
		if path[i] < ' ' || path[i] == 0x7f {
			return true
		}
		if path[i] != '%' {
			continue
		}
		escape := strings.ToLower(path[i+1 : min(i+3, len(path))])
		if len(escape) < 2 || escape[0] <= '1' {
			return true
		}
		switch escape {
		case "25", "2e", "2f", "3b", "5c", "7f":
			return true
		}
	}
	return false
}

// isForm reports whether the body is a form, as in the Query protocol.
func isForm(r *http.Request) bool {
	mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mime), "application/x-www-form-urlencoded") &&
		len(r.Header["X-Amz-Target"]) == 0
}

// read reads the body, at most [maxBody] bytes of it.
func (x *exchange) read() error {
	err := x.body.Read(x.w, x.r, maxBody)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wire.ErrTooLarge):
		return errTooLarge
	}
	return errBodyUnread
}

// newCall describes the circumstances of a verified request.
func newCall(r *http.Request, caller tacet.Caller, region string) tacet.Call {
	call := wire.NewCall(r, "aws", caller)
	call.Account, call.Region = caller.Account, region
	return call
}
