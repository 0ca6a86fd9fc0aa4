package identity

import (
	"context"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// MetadataIdentity names the user or role that everybody on this machine may be.
type MetadataIdentity struct {
	Account string
	Ref
}

// IdentityInput is the input of [Service.IssueIdentityToken].
type IdentityInput struct {
	// Header is the secret of an identity header, or Metadata is the identity that was
	// configured: one of the two says who asks.
	Header   tacet.Plaintext
	Metadata *MetadataIdentity
	// ClientID, ObjectID and ResourceID are which identity is expected, where they are not
	// empty. Of a resource id, Azure Resource Manager's, the last part is the name.
	ClientID, ObjectID, ResourceID string
	// Audience is whom the token is to be for, a resource that the face knows.
	Audience string
}

// IssueIdentityToken gives an access token to a managed identity. call has no caller yet.
//
// Errors: CredentialInvalid for a header that is nobody's; PrincipalNotFound when the
// identity is not the expected one. The latter is recorded.
func (s *Service) IssueIdentityToken(ctx context.Context, call tacet.Call, in IdentityInput) (IssuedToken, error) {
	app, sess, err := s.managedIdentity(in)
	if err != nil {
		return IssuedToken{}, err
	}
	sess.Principal = principalOf(&app.Caller)
	name := app.Caller.Name
	if app.Caller.Kind == tacet.CallerRole {
		name = app.Caller.Role[strings.LastIndexByte(app.Caller.Role, '/')+1:]
	}
	if in.ClientID != "" && !strings.EqualFold(in.ClientID, tacet.ClientID(sess.Principal)) ||
		in.ObjectID != "" && !strings.EqualFold(in.ObjectID, tacet.ObjectID(sess.Principal)) ||
		in.ResourceID != "" && !strings.EqualFold(in.ResourceID[strings.LastIndexByte(in.ResourceID, '/')+1:], name) {
		return IssuedToken{}, s.refuseToken(ctx, call, &app, in.Audience, tacet.Errorf(tacet.PrincipalNotFound, "Identity not found"))
	}
	return s.issue(ctx, call, sess, in.Audience, proof{method: provedByAssertion, identity: identityID(s.TenantID(), name)})
}

// managedIdentity finds who asks, and begins the session.
func (s *Service) managedIdentity(in IdentityInput) (guard.Application, tacet.Session, error) {
	if in.Metadata != nil {
		app, ok := s.g.ApplicationNamed(in.Metadata.Account, guard.PrincipalRef{Kind: in.Metadata.Kind, Name: in.Metadata.Name})
		if !ok {
			return app, tacet.Session{}, tacet.Errorf(tacet.PrincipalNotFound, "Identity not found")
		}
		return app, tacet.Session{Name: "metadata"}, nil
	}
	app, c, ok := s.g.ByIdentityHeader(in.Header, s.g.Now())
	if !ok {
		return app, tacet.Session{}, &tacet.Error{Code: tacet.CredentialInvalid}
	}
	return app, tacet.Session{Name: c.ID, Credential: c.ID}, nil
}
