package policy

import (
	"strings"
	"unicode"
)

// Context gives the values of condition keys for one request.
type Context interface {
	// Value returns the values of a key and whether the request has it. The key is
	// in lower case, "aws:sourceip", but for a tag key, "aws:principaltag/CostCenter",
	// which stands as the policy's author wrote it and must be compared without
	// regard to case. A key without values is absent. The values are not changed.
	// A value of a key for BinaryEquals is the bytes themselves; of a date, RFC
	// 3339 or seconds since 1970.
	Value(key string) (values []string, ok bool)
}

// lookup returns the values of a key, none when it is absent.
func lookup(ctx Context, key string) []string {
	if ctx == nil {
		return nil
	}
	values, ok := ctx.Value(key)
	if !ok {
		return nil
	}
	return values
}

// contextKey brings a condition key into the form that [Context] takes.
func contextKey(key string) string {
	if prefix, tag, ok := strings.Cut(key, "/"); ok {
		prefix = strings.ToLower(prefix)
		for _, s := range []string{":resourcetag", ":requesttag", ":principaltag"} {
			if strings.HasSuffix(prefix, s) {
				return prefix + "/" + tag
			}
		}
	}
	return strings.ToLower(key)
}

// checkKey says what is wrong with the name of a condition key, "" if nothing is. The
// characters are those that a tag key may have.
func checkKey(key string) (problem string) {
	if len(key) > 512 {
		return "the key is too long"
	}
	if strings.TrimSpace(key) != key {
		return "the name of a condition key begins or ends with a space"
	}
	for _, c := range key {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(" _.:/=+-@", c) {
			return "not the name of a condition key"
		}
	}
	if i := strings.IndexByte(key, ':'); i <= 0 || i == len(key)-1 || strings.HasSuffix(key, "/") {
		return `must be a prefix, a colon and a name, as in "aws:username"`
	}
	return ""
}
