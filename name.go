package tacet

import "strings"

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
	// Shown, when not empty, is the name as Azure shows it; the door finds out what it
	// means. See [ShownRef].
	Shown string
}

// IsZero reports whether the request names no secret.
func (r SecretRef) IsZero() bool { return r.Name == "" }

// NameRef refers to the secret called name in the vault of the call.
func NameRef(name string) SecretRef { return SecretRef{Given: name, Name: name} }

// ParseSecretID reads a SecretId: a secret's name, its ARN, or its ARN without the
// random suffix.
//
// A name is taken as it is, also one that ends like a suffix. Of an ARN the last "-"
// and six letters or digits are the suffix, also when they belong to the name: AWS
// does not find such a secret by its partial ARN, and neither do we. The ARN's account
// and region are kept for the core to compare; an ARN from elsewhere is well formed
// and only not found. What begins with "arn:" and is not a secret's ARN of partition
// "aws" reports false and is answered as a bad name, since ":" is in no name.
//
// Source: AWS Secrets Manager API reference, SecretId; user guide, "Secret ARN".
func ParseSecretID(id string) (ref SecretRef, ok bool) {
	if !strings.HasPrefix(id, "arn:") {
		return NameRef(id), ValidSecretName(id, true)
	}
	rest, ok := strings.CutPrefix(id, "arn:aws:secretsmanager:")
	if !ok {
		return SecretRef{}, false
	}
	region, rest, ok1 := strings.Cut(rest, ":")
	account, tail, ok2 := strings.Cut(rest, ":secret:")
	if !ok1 || !ok2 || !IsRegion(region) || !IsAccount(account) || !ValidSecretName(tail, true) {
		return SecretRef{}, false
	}
	name, suffix, _ := SplitSuffix(tail)
	return SecretRef{Given: id, Name: name, Suffix: suffix, Account: account, Region: region}, true
}

// MaxRegion is the longest region's name, in characters.
const MaxRegion = 64

// IsRegion reports whether name has the form of a region's in the service's model,
// ^([a-z]+-)+\d+$, as us-east-1 has, and at most [MaxRegion] characters.
func IsRegion(name string) bool {
	words := strings.TrimRight(name, "0123456789")
	if len(name) > MaxRegion || words == name || len(words) < 2 || words[0] == '-' || words[len(words)-1] != '-' {
		return false
	}
	return strings.Trim(words, "abcdefghijklmnopqrstuvwxyz-") == "" && !strings.Contains(words, "--")
}

// IsAccount reports whether s is an account's number: twelve digits.
func IsAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

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
