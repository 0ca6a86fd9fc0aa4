package adminapi

import (
	"context"
	"time"

	"tacet"
	"tacet/internal/identity"
)

type managedOut struct {
	Name        string    `json:"name"`
	ARN         string    `json:"arn"`
	ID          string    `json:"id"`
	Path        string    `json:"path"`
	Description string    `json:"description,omitempty"`
	Version     string    `json:"version"` // the one in force
	Document    string    `json:"document,omitempty"`
	Attached    int       `json:"attached"`   // how many principals it grants to
	Boundaries  int       `json:"boundaries"` // how many it limits
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
	Tags        []tag     `json:"tags,omitempty"`
}

func showManaged(p identity.PolicyInfo) managedOut {
	return managedOut{Name: p.Name, ARN: p.ARN(), ID: p.ID, Path: p.Path, Description: p.Description, Version: p.Default,
		Attached: p.Attached, Boundaries: p.Boundary, Created: p.Created.UTC(), Updated: p.Updated.UTC(), Tags: showTags(p.Tags)}
}

type createManagedIn struct {
	Policy      string `json:"policy"` // its name
	Path        string `json:"path"`
	Description string `json:"description"`
	Document    string `json:"document"`
	Tags        []tag  `json:"tags"`
}

type managedIn struct {
	Policy string `json:"policy"` // as policyARN takes it
}

type updateManagedIn struct {
	Policy   string `json:"policy"`
	Document string `json:"document"`
}

type versionIn struct {
	Policy  string `json:"policy"`
	Version string `json:"version"`
}

type managedListOut struct {
	Policies []managedOut `json:"policies"`
}

type versionOut struct {
	Version  string    `json:"version"`
	InForce  bool      `json:"inForce"`
	Document string    `json:"document,omitempty"`
	Created  time.Time `json:"created"`
}

func showVersion(v identity.VersionInfo) versionOut {
	return versionOut{Version: v.ID, InForce: v.Default, Document: v.Document, Created: v.Created.UTC()}
}

type versionsOut struct {
	Versions []versionOut `json:"versions"`
}

type heldBy struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

type holdersOut struct {
	Holders []heldBy `json:"holders"`
}

func createManaged(ctx context.Context, h *handler, call tacet.Call, in createManagedIn) (managedOut, error) {
	p, err := h.Identity.CreatePolicy(ctx, call, identity.CreatePolicyInput{Path: in.Path, Name: in.Policy, Description: in.Description,
		Document: in.Document, Tags: readTags(in.Tags)})
	return showManaged(p), err
}

func getManaged(ctx context.Context, h *handler, call tacet.Call, in managedIn) (managedOut, error) {
	p, err := h.Identity.GetPolicy(ctx, call, policyARN(call, in.Policy))
	if err != nil {
		return managedOut{}, err
	}
	out := showManaged(p)
	if v := p.ManagedPolicy.Version(p.Default); v != nil {
		out.Document = v.Document
	}
	return out, nil
}

func listManaged(ctx context.Context, h *handler, call tacet.Call, _ none) (managedListOut, error) {
	list, err := h.Identity.ListPolicies(ctx, call, identity.ListPoliciesInput{})
	return managedListOut{Policies: show(list.Items, showManaged)}, err
}

func deleteManaged(ctx context.Context, h *handler, call tacet.Call, in managedIn) (none, error) {
	return none{}, h.Identity.DeletePolicy(ctx, call, policyARN(call, in.Policy))
}

// updateManaged puts a new text in force.
func updateManaged(ctx context.Context, h *handler, call tacet.Call, in updateManagedIn) (versionOut, error) {
	v, err := h.Identity.CreatePolicyVersion(ctx, call, policyARN(call, in.Policy), in.Document, true)
	return showVersion(v), err
}

func listVersions(ctx context.Context, h *handler, call tacet.Call, in managedIn) (versionsOut, error) {
	list, err := h.Identity.ListPolicyVersions(ctx, call, policyARN(call, in.Policy), identity.Page{})
	return versionsOut{Versions: show(list.Items, showVersion)}, err
}

func getVersion(ctx context.Context, h *handler, call tacet.Call, in versionIn) (versionOut, error) {
	v, err := h.Identity.GetPolicyVersion(ctx, call, policyARN(call, in.Policy), in.Version)
	return showVersion(v), err
}

func setVersion(ctx context.Context, h *handler, call tacet.Call, in versionIn) (none, error) {
	return none{}, h.Identity.SetDefaultPolicyVersion(ctx, call, policyARN(call, in.Policy), in.Version)
}

func deleteVersion(ctx context.Context, h *handler, call tacet.Call, in versionIn) (none, error) {
	return none{}, h.Identity.DeletePolicyVersion(ctx, call, policyARN(call, in.Policy), in.Version)
}

func listHolders(ctx context.Context, h *handler, call tacet.Call, in managedIn) (holdersOut, error) {
	list, err := h.Identity.ListEntitiesForPolicy(ctx, call, identity.ListEntitiesInput{Policy: policyARN(call, in.Policy)})
	return holdersOut{Holders: show(list.Items, func(e identity.Entity) heldBy { return heldBy{string(e.Kind), e.Name} })}, err
}

type providerOut struct {
	URL         string    `json:"url"`
	ARN         string    `json:"arn"`
	ClientIDs   []string  `json:"clientIds"`
	Thumbprints []string  `json:"thumbprints,omitempty"`
	Created     time.Time `json:"created"`
	Tags        []tag     `json:"tags,omitempty"`
}

func showProvider(p tacet.OIDCProvider) providerOut {
	return providerOut{URL: p.Issuer(), ARN: p.ARN(), ClientIDs: append([]string{}, p.ClientIDs...), Thumbprints: p.Thumbprints,
		Created: p.Created.UTC(), Tags: showTags(p.Tags)}
}

type createProviderIn struct {
	URL       string   `json:"url"`
	Audiences []string `json:"audiences"`
	Tags      []tag    `json:"tags"`
	// JWKS are the issuer's keys, a JWK Set, for one that cannot be reached.
	JWKS string `json:"jwks"`
}

type providerIn struct {
	Provider string `json:"provider"` // ARN or URL
}

type audienceIn struct {
	Provider string `json:"provider"`
	Audience string `json:"audience"`
}

type providersOut struct {
	Providers []providerOut `json:"providers"`
}

func createProvider(ctx context.Context, h *handler, call tacet.Call, in createProviderIn) (providerOut, error) {
	p, err := h.Identity.CreateOIDCProvider(ctx, call, identity.CreateOIDCProviderInput{URL: in.URL, ClientIDs: in.Audiences, Tags: readTags(in.Tags), JWKS: in.JWKS})
	return showProvider(p), err
}

func getProvider(ctx context.Context, h *handler, call tacet.Call, in providerIn) (providerOut, error) {
	p, err := h.Identity.GetOIDCProvider(ctx, call, providerARN(call, in.Provider))
	return showProvider(p), err
}

func listProviders(ctx context.Context, h *handler, call tacet.Call, _ none) (providersOut, error) {
	list, err := h.Identity.ListOIDCProviders(ctx, call)
	return providersOut{Providers: show(list, showProvider)}, err
}

func deleteProvider(ctx context.Context, h *handler, call tacet.Call, in providerIn) (none, error) {
	return none{}, h.Identity.DeleteOIDCProvider(ctx, call, providerARN(call, in.Provider))
}

func addAudience(ctx context.Context, h *handler, call tacet.Call, in audienceIn) (none, error) {
	return none{}, h.Identity.AddOIDCClientID(ctx, call, providerARN(call, in.Provider), in.Audience)
}

func removeAudience(ctx context.Context, h *handler, call tacet.Call, in audienceIn) (none, error) {
	return none{}, h.Identity.RemoveOIDCClientID(ctx, call, providerARN(call, in.Provider), in.Audience)
}
