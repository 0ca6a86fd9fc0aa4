package vault

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"tacet"
	"tacet/internal/guard"
)

// Listing limits: the default page, and how many secrets one call looks at before it
// answers with what it has and a token, so that a filter that matches little costs a
// bounded time however many secrets there are.
const (
	defaultPage = 100
	scanStep    = 256
	maxScan     = 20000
)

// orders maps AWS's names for orders to the store's.
var orders = map[string]string{"": "created", "created-date": "created", "last-accessed-date": "accessed", "last-changed-date": "changed", "name": "name"}

// ListSecrets returns a page of the caller's secrets in the vault.
//
// Errors: InvalidParameter (filters), InvalidNextToken.
func (s *Service) ListSecrets(ctx context.Context, call tacet.Call, in ListSecretsInput) (ListSecretsOutput, error) {
	r := request(call, tacet.OpListSecrets, tacet.SecretRef{})
	recordListing(&r, in.Filters, in.MaxResults)
	flag(&r, "includePlannedDeletion", in.IncludePlannedDeletion)
	parameter(&r, "sortBy", in.SortBy)
	if in.Descending {
		r.Parameters["sortOrder"] = "desc"
	}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (ListSecretsOutput, error) {
		var out ListSecretsOutput
		found, next, err := listSecrets(v, in)
		if err != nil {
			return out, err
		}
		for _, sec := range found {
			out.Secrets = append(out.Secrets, SecretInfo{ARN: sec.ARN(v.Vault()), Secret: sec, Region: v.Vault().Region})
		}
		out.NextToken = next
		return out, nil
	})
}

// recordListing records what a listing was asked for; 0 results means not given. A
// page's token is left out: it is long, and says nothing to a reader.
func recordListing(r *guard.Request, filters []Filter, maxResults int) {
	if len(filters) > 0 {
		r.Parameters["filters"] = filters
	}
	if maxResults != 0 {
		r.Parameters["maxResults"] = int64(maxResults)
	}
}

// flag records an option that was switched on.
func flag(r *guard.Request, name string, on bool) {
	if on {
		r.Parameters[name] = true
	}
}

// listToken is what a page's token says: where to go on, and for which question.
type listToken struct {
	At    guard.Position `json:"at"`
	Query []byte         `json:"q"`
}

// queryHash identifies a question, so that a token cannot be used with another one.
func queryHash(v any) []byte {
	b, _ := json.Marshal(v) // strings and booleans: cannot fail
	sum := sha256.Sum256(b)
	return sum[:12]
}

// listSecrets finds the secrets of a page and the token of the next.
func listSecrets(v *guard.Snapshot, in ListSecretsInput) ([]*tacet.Secret, string, error) {
	m, err := newMatcher(in.Filters)
	if err != nil {
		return nil, "", err
	}
	order, ok := orders[in.SortBy]
	if !ok {
		return nil, "", tacet.Errorf(tacet.InvalidParameter, "Invalid sort key")
	}
	limit := in.MaxResults
	if limit == 0 {
		limit = defaultPage
	}
	query := queryHash([]any{in.Filters, in.IncludePlannedDeletion, order, in.Descending})
	page := guard.Page{OrderBy: order, Descending: in.Descending, IncludeScheduled: in.IncludePlannedDeletion, Limit: scanStep}
	if order == "name" {
		page.NamePrefix = m.namePrefix()
	}
	if len(in.Filters) == 0 {
		page.Limit = limit + 1
	}
	if in.NextToken != "" {
		if page.After, err = openListToken(v, in.NextToken, query); err != nil {
			return nil, "", err
		}
	}
	var found []*tacet.Secret
	seen := map[tacet.SecretID]bool{} // a secret may move in the order while it is scanned
	for scanned := 0; ; {
		rows, err := v.Secrets(page)
		if err != nil {
			return nil, "", err
		}
		for _, sec := range rows {
			if sec.ScheduledForDeletion() && !v.Now().Before(sec.PurgeAt) || seen[sec.ID] || !m.match(sec) {
				page.After = guard.PositionOf(sec, order)
				continue
			}
			if len(found) == limit {
				return found, sealListToken(v, page.After, query), nil
			}
			found = append(found, sec)
			seen[sec.ID] = true
			page.After = guard.PositionOf(sec, order)
		}
		scanned += len(rows)
		switch {
		case len(rows) < page.Limit:
			return found, "", nil
		case scanned >= maxScan:
			return found, sealListToken(v, page.After, query), nil
		}
	}
}

func sealListToken(v *guard.Snapshot, at *guard.Position, query []byte) string {
	b, _ := json.Marshal(listToken{*at, query})
	return v.SealToken("ListSecrets", b)
}

func openListToken(v *guard.Snapshot, token string, query []byte) (*guard.Position, error) {
	b, err := v.OpenToken("ListSecrets", token)
	if err != nil {
		return nil, err
	}
	var t listToken
	if err := json.Unmarshal(b, &t); err != nil || string(t.Query) != string(query) {
		return nil, &tacet.Error{Code: tacet.InvalidNextToken, Cause: err}
	}
	return &t.At, nil
}

// ListSecretVersionIDs returns a page of a secret's versions, oldest first: those
// with labels, and with IncludeDeprecated all.
//
// Errors: SecretNotFound, InvalidNextToken.
func (s *Service) ListSecretVersionIDs(ctx context.Context, call tacet.Call, in ListVersionsInput) (ListVersionsOutput, error) {
	r := request(call, tacet.OpListSecretVersionIDs, in.Secret)
	recordListing(&r, nil, in.MaxResults)
	flag(&r, "includeDeprecated", in.IncludeDeprecated)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (ListVersionsOutput, error) {
		sec, err := v.Secret()
		if err != nil {
			return ListVersionsOutput{}, err
		}
		return listVersions(v, sec, in)
	})
}

// versionToken is where a listing of versions goes on.
type versionToken struct {
	Created int64           `json:"c"`
	ID      tacet.VersionID `json:"i"`
	Query   []byte          `json:"q"`
}

func (t versionToken) before(v *tacet.Version) bool {
	return cmp.Or(cmp.Compare(t.Created, tacet.Microseconds(v.Created)), cmp.Compare(t.ID, v.ID)) < 0
}

func listVersions(v *guard.Snapshot, sec *tacet.Secret, in ListVersionsInput) (ListVersionsOutput, error) {
	out := ListVersionsOutput{ARN: sec.ARN(v.Vault()), Name: sec.Name}
	query := queryHash([]any{sec.ID, in.IncludeDeprecated})
	after := versionToken{Created: -1}
	if in.NextToken != "" {
		b, err := v.OpenToken("ListSecretVersionIds", in.NextToken)
		if err != nil {
			return ListVersionsOutput{}, err
		}
		if err := json.Unmarshal(b, &after); err != nil || string(after.Query) != string(query) {
			return ListVersionsOutput{}, &tacet.Error{Code: tacet.InvalidNextToken, Cause: err}
		}
	}
	limit := in.MaxResults
	if limit == 0 {
		limit = defaultPage
	}
	versions, err := v.Versions()
	if err != nil {
		return ListVersionsOutput{}, err
	}
	slices.SortFunc(versions, func(a, b tacet.Version) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	for i := range versions {
		ver := &versions[i]
		stages := sec.StagesOf(ver.ID)
		if !after.before(ver) || len(stages) == 0 && !in.IncludeDeprecated {
			continue
		}
		if len(out.Versions) == limit {
			last := &out.Versions[limit-1].Version
			b, _ := json.Marshal(versionToken{tacet.Microseconds(last.Created), last.ID, query})
			out.NextToken = v.SealToken("ListSecretVersionIds", b)
			break
		}
		out.Versions = append(out.Versions, VersionInfo{*ver, stages})
	}
	return out, nil
}
