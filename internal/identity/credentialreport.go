package identity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"slices"
	"strconv"
	"time"

	"tacet"
	"tacet/internal/guard"
)

// CredentialReport is the output of [Service.GetCredentialReport].
type CredentialReport struct {
	Content   []byte // CSV, one line for the account and one for each user
	Generated time.Time
}

// credentialColumns are the columns of the report (IAM user guide, "Get credential reports
// for your AWS account").
func credentialColumns() []string {
	return []string{"user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
		"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
		"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
		"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated"}
}

// GenerateCredentialReport finds that a report can be had: it is made when it is asked for.
func (s *Service) GenerateCredentialReport(ctx context.Context, call tacet.Call) error {
	_, err := guard.View(ctx, s.g, Ref{}.request(call, tacet.OpGenerateCredentialReport), func(*guard.Snapshot) (none struct{}, err error) {
		return none, nil
	})
	return err
}

// GetCredentialReport returns who in the caller's account has which credentials that AWS
// knows of, since when, and when they were last used: to within fifteen minutes.
func (s *Service) GetCredentialReport(ctx context.Context, call tacet.Call) (CredentialReport, error) {
	return guard.View(ctx, s.g, Ref{}.request(call, tacet.OpGetCredentialReport), func(v *guard.Snapshot) (CredentialReport, error) {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		_ = w.Write(credentialColumns()) // a bytes.Buffer takes everything
		_ = w.Write(rootLine(v, call.Account))
		users := v.Users(call.Account)
		slices.SortFunc(users, func(a, b tacet.User) int { return cmp.Compare(byName(&a.Grantee), byName(&b.Grantee)) })
		for i := range users {
			if users[i].Root {
				continue
			}
			line, err := credentialLine(v, &users[i])
			if err != nil {
				return CredentialReport{}, err
			}
			_ = w.Write(line)
		}
		w.Flush()
		return CredentialReport{b.Bytes(), v.Now()}, nil
	})
}

const (
	noValue      = "N/A"
	notSupported = "not_supported"
)

// rootLine is the line of the account itself, which has no credentials.
func rootLine(v *guard.Snapshot, account string) []string {
	created := noValue
	for _, vault := range v.Vaults() {
		if t := reportTime(vault.Created); vault.Account == account && (created == noValue || t < created) {
			created = t
		}
	}
	line := []string{"<root_account>", "arn:aws:iam::" + account + ":root", created, notSupported, noValue, notSupported, notSupported, "false"}
	return append(append(line, noKey()...), append(noKey(), "false", noValue, "false", noValue)...)
}

// credentialLine is the line of a user.
func credentialLine(v *guard.Snapshot, u *tacet.User) ([]string, error) {
	line := []string{u.Name, u.ARN(), reportTime(u.Created), "false", noValue, noValue, noValue, "false"}
	keys := v.AccessKeys(u.Account, u.Name)
	slices.SortFunc(keys, func(a, b tacet.AccessKey) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	for i := range maxAccessKeys {
		if i >= len(keys) {
			line = append(line, noKey()...)
			continue
		}
		k := keys[i]
		use, err := v.LastUse(k.ID)
		if err != nil {
			return nil, err
		}
		line = append(line, strconv.FormatBool(!k.Inactive), reportTime(k.Created))
		if use.Time.IsZero() {
			line = append(line, noValue, noValue, noValue)
		} else {
			line = append(line, reportTime(use.Time), use.Region, use.Service)
		}
	}
	return append(line, "false", noValue, "false", noValue), nil
}

// noKey is what a line has of an access key that is not there.
func noKey() []string { return []string{"false", noValue, noValue, noValue, noValue} }

func reportTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }
