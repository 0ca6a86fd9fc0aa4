package vault

import (
	"context"

	"tacet"
	"tacet/internal/guard"
)

// SecretNamesInput is the input of [Service.ListSecretNames].
type SecretNamesInput struct {
	Unreachable bool   // only those that Azure does not reach
	MaxResults  int    // how many secrets are looked at, 1 to 1000; 0: not given, 1000
	NextToken   string // of the page before
}

// SecretNames is a page. It may be short or empty though NextToken says that there is more.
type SecretNames struct {
	Names     []SecretName
	NextToken string // empty on the last page
}

// A SecretName says what a secret is called in Azure.
type SecretName struct {
	Name  string
	Shown string // empty when the secret cannot be reached there
	// Why it cannot: "characters" or "too long" for a name that Azure could not have, or
	// "hidden by NAME" for one that means another secret there.
	Why     string
	Deleted bool // it waits for its purge
}

// maxNames is the longest page of names.
const maxNames = 1000

// ListSecretNames returns a page of the vault's secrets by name, deleted ones included:
// they keep their names until they are purged. See [tacet.ShownRef].
//
// Errors: VaultNotFound, InvalidParameter (MaxResults), InvalidNextToken.
func (s *Service) ListSecretNames(ctx context.Context, call tacet.Call, in SecretNamesInput) (SecretNames, error) {
	r := request(call, tacet.OpListSecrets, tacet.SecretRef{})
	recordListing(&r, nil, in.MaxResults)
	flag(&r, "unreachable", in.Unreachable)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (SecretNames, error) { return secretNames(v, in) })
}

func secretNames(v *guard.Snapshot, in SecretNamesInput) (out SecretNames, err error) {
	switch {
	case in.MaxResults == 0:
		in.MaxResults = maxNames
	case in.MaxResults < 0 || in.MaxResults > maxNames:
		return out, tacet.Errorf(tacet.InvalidParameter, "a page is of 1 to %d secrets", maxNames)
	}
	query := queryHash([]any{"names", in.Unreachable})
	page := guard.Page{OrderBy: "name", IncludeScheduled: true, Limit: in.MaxResults}
	if in.NextToken != "" {
		if page.After, err = openListToken(v, in.NextToken, query); err != nil {
			return out, err
		}
	}
	rows, err := v.Secrets(page)
	if err != nil {
		return out, err
	}
	for _, sec := range rows {
		if sec.ScheduledForDeletion() && !v.Now().Before(sec.PurgeAt) {
			continue
		}
		name, err := secretName(v, sec)
		if err != nil {
			return SecretNames{}, err
		}
		if name.Why != "" || name.Shown != "" && !in.Unreachable { // with neither: gone since it was listed
			out.Names = append(out.Names, name)
		}
	}
	if len(rows) == page.Limit {
		out.NextToken = sealListToken(v, guard.PositionOf(rows[len(rows)-1], page.OrderBy), query)
	}
	return out, nil
}

func secretName(v *guard.Snapshot, sec *tacet.Secret) (SecretName, error) {
	out := SecretName{Name: sec.Name, Deleted: sec.ScheduledForDeletion()}
	shown, means, err := v.Shown(sec)
	switch {
	case err != nil:
		return out, err
	case means == sec.Name:
		out.Shown = shown
	case means != "":
		out.Why = "hidden by " + means
	case without(shown, lowercase+uppercase+digits+"-") != "":
		out.Why = "characters"
	case len(shown) > tacet.MaxShownName:
		out.Why = "too long"
	}
	return out, nil
}
