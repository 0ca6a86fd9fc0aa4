package vault

import (
	"context"

	"tacet"
	"tacet/internal/guard"
)

// GetSecretInput is the input of [Service.GetSecret].
type GetSecretInput struct {
	Secret tacet.SecretRef // a [tacet.ShownRef]
	// Version is an id as Azure shows it; empty means the current version.
	Version string
}

// GetSecret returns a version of a secret with its value. A version's not-before and
// expiry are words to the reader: nothing is refused for them. A disabled current version
// does not give way to an older one.
//
// Errors: SecretNotFound (also of a deleted secret), VersionNotFound, VersionDisabled.
func (s *Service) GetSecret(ctx context.Context, call tacet.Call, in GetSecretInput) (SecretBundle, error) {
	r := request(call, tacet.OpGetSecretValue, in.Secret)
	parameter(&r, "versionId", in.Version)
	condition(&r, "secretsmanager:versionid", in.Version)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (SecretBundle, error) {
		sec, err := shownLive(v)
		if err != nil {
			return SecretBundle{}, err
		}
		ver, err := shownVersion(v, sec, in.Version)
		if err != nil {
			return SecretBundle{}, err
		}
		b := bundle(v.Vault(), sec, ver)
		v.Respond("versionId", b.Version)
		if !b.Enabled {
			return SecretBundle{}, &tacet.Error{Code: tacet.VersionDisabled, Secret: sec.Name, Version: ver.ID}
		}
		if b.Value, err = v.Open(ver.ID); err != nil {
			return SecretBundle{}, err
		}
		v.Touch(ver.ID)
		return b, nil
	})
}

// GetDeletedSecret returns the current version, without its value, of a secret that waits
// for its purge. Errors: SecretNotFound, VersionDisabled.
func (s *Service) GetDeletedSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (SecretBundle, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpGetDeletedSecret, ref), func(v *guard.Snapshot) (SecretBundle, error) {
		sec, err := shownDeleted(v)
		if err != nil {
			return SecretBundle{}, err
		}
		ver, err := shownVersion(v, sec, "")
		if err != nil {
			return SecretBundle{}, err
		}
		b := bundle(v.Vault(), sec, ver)
		v.Respond("versionId", b.Version)
		if !b.Enabled {
			return SecretBundle{}, &tacet.Error{Code: tacet.VersionDisabled, Secret: sec.Name, Version: ver.ID}
		}
		return b, nil
	})
}

// ShownListInput asks for a page of a listing in Azure's words.
type ShownListInput struct {
	MaxResults int    // 0: not given, 25
	NextToken  string // of the page before
}

// ShownList is a page. It may be short or empty though NextToken says that there is more.
type ShownList struct {
	Items     []SecretBundle // without values
	NextToken string         // empty on the last page
}

// maxShownPage is the longest page of Azure's listings.
const maxShownPage = 25

// ListShownSecrets returns a page of the vault's secrets by name: the current version of
// each, disabled ones included. A secret that Azure cannot show, or that has no value
// yet, is left out, and so is one that another is shown in place of; see [tacet.ShownRef].
//
// Errors: InvalidParameter (MaxResults), InvalidNextToken.
func (s *Service) ListShownSecrets(ctx context.Context, call tacet.Call, in ShownListInput) (ShownList, error) {
	return s.listShown(ctx, call, tacet.OpListSecrets, in)
}

// ListDeletedSecrets is [Service.ListShownSecrets] of those that wait for their purge.
func (s *Service) ListDeletedSecrets(ctx context.Context, call tacet.Call, in ShownListInput) (ShownList, error) {
	return s.listShown(ctx, call, tacet.OpListDeletedSecrets, in)
}

func (s *Service) listShown(ctx context.Context, call tacet.Call, op tacet.Operation, in ShownListInput) (ShownList, error) {
	r := request(call, op, tacet.SecretRef{})
	recordListing(&r, nil, in.MaxResults)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (ShownList, error) { return shownPage(v, op, in) })
}

// pageSize checks how much was asked for.
func (in *ShownListInput) pageSize() (int, error) {
	switch {
	case in.MaxResults == 0:
		return maxShownPage, nil
	case in.MaxResults < 0 || in.MaxResults > maxShownPage:
		return 0, tacet.Errorf(tacet.InvalidParameter, "maxresults must be between 1 and %d.", maxShownPage)
	}
	return in.MaxResults, nil
}

func shownPage(v *guard.Snapshot, op tacet.Operation, in ShownListInput) (ShownList, error) {
	var out ShownList
	limit, err := in.pageSize()
	if err != nil {
		return out, err
	}
	query := queryHash([]any{"shown", op})
	page := guard.Page{OrderBy: "name", OnlyScheduled: op == tacet.OpListDeletedSecrets, Limit: limit + 1}
	if in.NextToken != "" {
		if page.After, err = openListToken(v, in.NextToken, query); err != nil {
			return out, err
		}
	}
	for scanned := 0; ; {
		rows, err := v.Secrets(page)
		if err != nil {
			return out, err
		}
		for _, sec := range rows {
			if len(out.Items) == limit {
				out.NextToken = sealListToken(v, page.After, query)
				return out, nil
			}
			page.After = guard.PositionOf(sec, page.OrderBy)
			b, ok, err := shownItem(v, sec)
			if err != nil {
				return out, err
			}
			if ok {
				out.Items = append(out.Items, b)
			}
		}
		if len(rows) < page.Limit {
			return out, nil
		}
		if scanned += len(rows); scanned >= maxScan {
			out.NextToken = sealListToken(v, page.After, query)
			return out, nil
		}
		page.Limit = scanStep
	}
}

// shownItem shows a secret in a listing, and reports false for one that is left out.
func shownItem(v *guard.Snapshot, sec *tacet.Secret) (SecretBundle, bool, error) {
	current := sec.Stages[tacet.StageCurrent]
	if current == "" || sec.ScheduledForDeletion() && !v.Now().Before(sec.PurgeAt) {
		return SecretBundle{}, false, nil
	}
	if _, means, err := v.Shown(sec); means != sec.Name || err != nil {
		return SecretBundle{}, false, err
	}
	ver, err := v.VersionOf(sec.ID, current)
	if err != nil || ver == nil || ver.Kind == tacet.ValueNone { // nil: changed since it was listed
		return SecretBundle{}, false, err
	}
	return bundle(v.Vault(), sec, ver), true, nil
}

// ListShownVersionsInput is the input of [Service.ListShownVersions].
type ListShownVersionsInput struct {
	Secret tacet.SecretRef // a [tacet.ShownRef]
	ShownListInput
}

// ListShownVersions returns a page of a secret's versions, labelled or not, the oldest
// first. Errors: SecretNotFound, InvalidParameter (MaxResults), InvalidNextToken.
func (s *Service) ListShownVersions(ctx context.Context, call tacet.Call, in ListShownVersionsInput) (ShownList, error) {
	r := request(call, tacet.OpListSecretVersionIDs, in.Secret)
	recordListing(&r, nil, in.MaxResults)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (ShownList, error) {
		limit, err := in.pageSize()
		if err != nil {
			return ShownList{}, err
		}
		sec, _, err := shownCurrent(v)
		if err != nil {
			return ShownList{}, err
		}
		page, err := listVersions(v, sec, ListVersionsInput{MaxResults: limit, NextToken: in.NextToken, IncludeDeprecated: true})
		if err != nil {
			return ShownList{}, err
		}
		out := ShownList{NextToken: page.NextToken}
		for i := range page.Versions {
			if ver := &page.Versions[i].Version; ver.Kind != tacet.ValueNone {
				out.Items = append(out.Items, bundle(v.Vault(), sec, ver))
			}
		}
		return out, nil
	})
}
