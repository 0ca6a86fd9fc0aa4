package vault

import (
	"context"
	"strconv"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

	defaultPasswordLength = 32
)

// GetRandomPassword draws a password of exactly the length asked for, each character
// uniformly from what is not excluded. Errors: PasswordTooShort,
// PasswordAlphabetEmpty.
func (s *Service) GetRandomPassword(ctx context.Context, call tacet.Call, in RandomPasswordInput) (tacet.Plaintext, error) {
	r := request(call, tacet.OpGetRandomPassword, tacet.SecretRef{})
	if in.Length != 0 {
		r.Parameters["passwordLength"] = int64(in.Length)
	}
	parameter(&r, "excludeCharacters", in.ExcludeCharacters)
	flag(&r, "excludeNumbers", in.ExcludeNumbers)
	flag(&r, "excludePunctuation", in.ExcludePunctuation)
	flag(&r, "excludeUppercase", in.ExcludeUppercase)
	flag(&r, "excludeLowercase", in.ExcludeLowercase)
	flag(&r, "includeSpace", in.IncludeSpace)
	if !in.RequireEachType { // the default is true
		r.Parameters["requireEachIncludedType"] = false
	}
	return guard.View(ctx, s.g, r, func(*guard.Snapshot) (tacet.Plaintext, error) { return randomPassword(in) })
}

func randomPassword(in RandomPasswordInput) (tacet.Plaintext, error) {
	length := in.Length
	if length == 0 {
		length = defaultPasswordLength
	}
	var classes []string
	for _, c := range []struct {
		chars string
		use   bool
	}{{lowercase, !in.ExcludeLowercase}, {uppercase, !in.ExcludeUppercase}, {digits, !in.ExcludeNumbers},
		{punctuation, !in.ExcludePunctuation}, {" ", in.IncludeSpace}} {
		if left := without(c.chars, in.ExcludeCharacters); c.use && left != "" {
			classes = append(classes, left)
		}
	}
	all := strings.Join(classes, "")
	if all == "" {
		return tacet.Plaintext{}, &tacet.Error{Code: tacet.PasswordAlphabetEmpty}
	}
	if in.RequireEachType && length < len(classes) {
		return tacet.Plaintext{}, &tacet.Error{Code: tacet.PasswordTooShort}
	}
	out := make([]byte, 0, length)
	if in.RequireEachType {
		for _, c := range classes {
			out = append(out, c[draw(len(c))])
		}
	}
	for len(out) < length {
		out = append(out, all[draw(len(all))])
	}
	// The required characters stand in front; a uniform shuffle puts them anywhere.
	for i := len(out) - 1; i > 0; i-- {
		j := draw(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return tacet.NewPlaintext(out), nil
}

// without returns chars less those in exclude.
func without(chars, exclude string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(exclude, r) {
			return -1
		}
		return r
	}, chars)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
func btoa(b bool) string  { return strconv.FormatBool(b) }
