package awsapi

import (
	"strings"

	"tacet"
)

// maxSecretID is the longest SecretId, in characters.
const maxSecretID = 2048

// parseSecretID reads a SecretId: a secret's name, its ARN, or its ARN without the
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
func parseSecretID(id string) (ref tacet.SecretRef, ok bool) {
	if !strings.HasPrefix(id, "arn:") {
		return tacet.SecretRef{Given: id, Name: id}, tacet.ValidSecretName(id, true)
	}
	rest, ok := strings.CutPrefix(id, "arn:aws:secretsmanager:")
	if !ok {
		return tacet.SecretRef{}, false
	}
	region, rest, ok1 := strings.Cut(rest, ":")
	account, tail, ok2 := strings.Cut(rest, ":secret:")
	if !ok1 || !ok2 || !validRegionName(region) || !validAccount(account) || !tacet.ValidSecretName(tail, true) {
		return tacet.SecretRef{}, false
	}
	name, suffix, _ := tacet.SplitSuffix(tail)
	return tacet.SecretRef{Given: id, Name: name, Suffix: suffix, Account: account, Region: region}, true
}

// maxRegion is the longest region's name, in characters; the core takes no longer one.
const maxRegion = 64

// validRegionName reports whether s has the form of a region's name.
func validRegionName(s string) bool { return len(s) <= maxRegion && matchRegion(s) }

// validAccount reports whether s is an account id: twelve digits.
func validAccount(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 12
}
