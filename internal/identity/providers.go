package identity

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/jwa"
	"tacet/internal/oidc"
)

// Limits of OIDC providers.
const (
	maxClientID    = 255
	maxClientIDs   = 100
	maxThumbprints = 5
	thumbprintSize = 40 // hex digits of SHA-1
)

// CreateOIDCProviderInput is the input of [Service.CreateOIDCProvider].
type CreateOIDCProviderInput struct {
	URL         string // of the issuer, "https://..."
	ClientIDs   []string
	Thumbprints []string
	Tags        []tacet.Tag
	// JWKS are the issuer's keys, a JWK Set, for one that cannot be reached.
	JWKS string
}

// CreateOIDCProvider makes an issuer of identities known, which no role trusts yet.
//
// Errors: InvalidParameter, InvalidRequest, LimitExceeded, PrincipalExists.
func (s *Service) CreateOIDCProvider(ctx context.Context, call tacet.Call, in CreateOIDCProviderInput) (tacet.OIDCProvider, error) {
	p := tacet.OIDCProvider{Account: call.Account, URL: strings.TrimPrefix(in.URL, "https://")}
	wrong := setIssuer(&p, in)
	ref := Ref{tacet.KindOIDCProvider, p.ARN()}
	r := ref.request(call, ref.op("Create", ""))
	delete(r.Parameters, parameterOf(ref.Kind))
	r.Parameters["url"], r.Parameters["clientIDList"], r.Parameters["thumbprintList"] = in.URL, in.ClientIDs, in.Thumbprints
	if len(in.Tags) > 0 {
		r.Also = append(r.Also, ref.op("Tag", ""))
		addTags(&r, in.Tags)
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.OIDCProvider, error) {
		if wrong != nil {
			return tacet.OIDCProvider{}, wrong
		}
		if err := validTags(in.Tags, ref.foldsTags()); err != nil {
			return tacet.OIDCProvider{}, err
		}
		p.Created, p.Tags, p.ClientIDs = tx.Now(), sortTags(in.Tags), slices.Compact(slices.Sorted(slices.Values(in.ClientIDs)))
		if err := validClientIDs(p.ClientIDs); err != nil {
			return tacet.OIDCProvider{}, err
		}
		if err := setThumbprints(&p, in.Thumbprints); err != nil {
			return tacet.OIDCProvider{}, err
		}
		if tx.OIDCProvider(p.ARN()) != nil {
			return tacet.OIDCProvider{}, tacet.Errorf(tacet.PrincipalExists, "Provider with url %s already exists.", in.URL)
		}
		tx.Respond("openIDConnectProviderArn", p.ARN())
		err := tx.PutOIDCProvider(p)
		p.Tags = in.Tags // in the order that they came in, as IAM answers
		return p, err
	})
}

// setIssuer names the provider by its issuer's URL, and gives it the issuer's keys if those
// are registered with it.
func setIssuer(p *tacet.OIDCProvider, in CreateOIDCProviderInput) error {
	name, err := oidc.ProviderName(in.URL)
	if err != nil {
		return err
	}
	p.URL, p.Plain, p.JWKS = name, strings.HasPrefix(in.URL, "http://"), in.JWKS
	if in.JWKS == "" {
		return nil
	}
	if _, err := jwa.ParseKeySet([]byte(in.JWKS)); err != nil {
		return &tacet.Error{Code: tacet.InvalidParameter, Detail: "The key set of the issuer is not a JWK Set of public keys.", Cause: err}
	}
	return nil
}

func validClientIDs(ids []string) error {
	for _, id := range ids {
		if id == "" || len(id) > maxClientID {
			return tacet.Errorf(tacet.InvalidParameter, "The specified value for clientID is invalid. It must have 1 to %d characters.", maxClientID)
		}
	}
	if len(ids) > maxClientIDs {
		return quota("ClientIdsPerOpenIdConnectProvider", maxClientIDs)
	}
	return nil
}

func setThumbprints(p *tacet.OIDCProvider, list []string) error {
	for _, t := range list {
		if len(t) != thumbprintSize || strings.Trim(t, "0123456789abcdefABCDEF") != "" {
			return tacet.Errorf(tacet.InvalidParameter, "The specified value for thumbprint is invalid. It must be %d hexadecimal digits.", thumbprintSize)
		}
	}
	if len(list) > maxThumbprints {
		return tacet.Errorf(tacet.InvalidRequest, "Thumbprint list must contain fewer than %d entries.", maxThumbprints)
	}
	p.Thumbprints = list
	return nil
}

// GetOIDCProvider returns an OIDC provider by its ARN. Errors: PrincipalNotFound.
func (s *Service) GetOIDCProvider(ctx context.Context, call tacet.Call, arn string) (tacet.OIDCProvider, error) {
	r := Ref{tacet.KindOIDCProvider, arn}.request(call, tacet.OpGetOpenIDConnectProvider)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (tacet.OIDCProvider, error) {
		p, err := findProvider(v, call, arn)
		if err != nil {
			return tacet.OIDCProvider{}, err
		}
		return *p, nil
	})
}

// ListOIDCProviders returns the OIDC providers of the caller's account by URL.
func (s *Service) ListOIDCProviders(ctx context.Context, call tacet.Call) ([]tacet.OIDCProvider, error) {
	r := Ref{Kind: tacet.KindOIDCProvider}.request(call, tacet.OpListOpenIDConnectProviders)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) ([]tacet.OIDCProvider, error) {
		list := v.OIDCProviders(call.Account)
		slices.SortFunc(list, func(a, b tacet.OIDCProvider) int { return cmp.Compare(a.URL, b.URL) })
		return list, nil
	})
}

// DeleteOIDCProvider makes an issuer unknown again. Roles that trust it stay as they are.
//
// Errors: PrincipalNotFound.
func (s *Service) DeleteOIDCProvider(ctx context.Context, call tacet.Call, arn string) error {
	r := Ref{tacet.KindOIDCProvider, arn}.request(call, tacet.OpDeleteOpenIDConnectProvider)
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		p, err := findProvider(tx, call, arn)
		if err != nil {
			return none, tacet.Errorf(tacet.PrincipalNotFound, "OpenId connect Provider %s cannot be found.", arn)
		}
		return none, tx.DeleteOIDCProvider(p.Account, p.URL)
	})
	return err
}

// UpdateOIDCProviderThumbprints replaces the thumbprints of an OIDC provider.
//
// Errors: PrincipalNotFound, InvalidParameter, InvalidRequest.
func (s *Service) UpdateOIDCProviderThumbprints(ctx context.Context, call tacet.Call, arn string, list []string) error {
	r := Ref{tacet.KindOIDCProvider, arn}.request(call, tacet.OpUpdateOpenIDConnectProviderThumbprint)
	r.Parameters["thumbprintList"] = list
	return s.changeProvider(ctx, r, func(p *tacet.OIDCProvider) error { return setThumbprints(p, list) })
}

// AddOIDCClientID adds an audience to those that tokens of an OIDC provider may be for.
//
// Errors: PrincipalNotFound, InvalidParameter, LimitExceeded (100 of them).
func (s *Service) AddOIDCClientID(ctx context.Context, call tacet.Call, arn, id string) error {
	r := Ref{tacet.KindOIDCProvider, arn}.request(call, tacet.OpAddClientIDToOpenIDConnectProvider)
	r.Parameters["clientID"] = id
	return s.changeProvider(ctx, r, func(p *tacet.OIDCProvider) error {
		if !slices.Contains(p.ClientIDs, id) {
			p.ClientIDs = append(slices.Clone(p.ClientIDs), id)
		}
		return validClientIDs(p.ClientIDs)
	})
}

// RemoveOIDCClientID removes an audience; that there is none is no error.
//
// Errors: PrincipalNotFound.
func (s *Service) RemoveOIDCClientID(ctx context.Context, call tacet.Call, arn, id string) error {
	r := Ref{tacet.KindOIDCProvider, arn}.request(call, tacet.OpRemoveClientIDFromOpenIDConnectProvider)
	r.Parameters["clientID"] = id
	return s.changeProvider(ctx, r, func(p *tacet.OIDCProvider) error {
		p.ClientIDs = slices.DeleteFunc(slices.Clone(p.ClientIDs), func(c string) bool { return c == id })
		return nil
	})
}

func (s *Service) changeProvider(ctx context.Context, r guard.Request, do func(*tacet.OIDCProvider) error) error {
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		p, err := findProvider(tx, r.Call, r.Principal.Name)
		if err != nil {
			return none, err
		}
		if err := do(p); err != nil {
			return none, err
		}
		return none, tx.PutOIDCProvider(*p)
	})
	return err
}
