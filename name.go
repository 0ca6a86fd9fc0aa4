package tacet

// Limits of the model, from the AWS Secrets Manager quotas page and the Azure
// Key Vault limits.
const (
	MaxSecretName  = 512
	MaxValue       = 65536 // bytes, string or binary
	MaxTags        = 50
	MaxTagKey      = 128
	MaxTagValue    = 256
	MaxStages      = 20 // labels of one secret
	MaxPolicy      = 20480
	MinRecovery    = 7 // days
	MaxRecovery    = 30
	MaxDescription = 2048
	SuffixLength   = 6 // characters an ARN ends with
)

// A SecretRef is how a request names a secret, parsed but not resolved.
type SecretRef struct {
	// Given is the text the caller sent; denials repeat it.
	Given string
	// Name is the secret's name.
	Name string
	// Suffix, when not empty, must equal the secret's: the request gave a whole ARN.
	Suffix string
	// Account and Region, when not empty, came from an ARN; otherwise the vault of
	// the call is meant.
	Account string
	Region  string
}

// IsZero reports whether the request names no secret.
func (r SecretRef) IsZero() bool { return r.Name == "" }

// NameRef refers to the secret called name in the vault of the call.
func NameRef(name string) SecretRef { return SecretRef{Given: name, Name: name} }

// ValidSecretName reports whether name uses only the characters that AWS enforces
// for secret names, [A-Za-z0-9/_+=.@-]. The mark "!" is in the names of secrets that a
// service manages, so it is fit for a lookup and not for a creation.
func ValidSecretName(name string, lookup bool) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '/', c == '_', c == '+', c == '=', c == '.', c == '@', c == '-':
		case c == '!' && lookup:
		default:
			return false
		}
	}
	return name != ""
}

// SplitSuffix splits the tail of a secret's ARN at the random suffix: "db-a1B2c3"
// gives "db", "a1B2c3", true. A tail that does not end in "-" and six letters or
// digits has no suffix, and the ARN is a partial one.
func SplitSuffix(tail string) (name, suffix string, ok bool) {
	n := len(tail) - SuffixLength
	if n < 2 || tail[n-1] != '-' {
		return tail, "", false
	}
	for i := n; i < len(tail); i++ {
		if !isAlnum(tail[i]) {
			return tail, "", false
		}
	}
	return tail[:n-1], tail[n:], true
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
