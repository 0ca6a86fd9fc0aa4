package server

import (
	"fmt"
	"strings"

	"tacet"
	"tacet/internal/azureapi"
	"tacet/internal/identity"
	"tacet/internal/limit"
)

// authority is where Azure's clients get access tokens.
func (s *Server) authority(limits *limit.Callers) *azureapi.Authority {
	cfg := azureapi.AuthorityConfig{Identity: s.rooms.identity, Hosts: s.azureHosts(), Limits: limits, Now: s.now, Logger: room(s.log, "azureapi"), Observe: s.metrics.observeAuthority}
	if s.cfg.dev != nil {
		cfg.Metadata = s.cfg.dev.metadata
	}
	return azureapi.NewAuthority(cfg)
}

// metadataIdentity reads [DevConfig.MetadataIdentity].
func metadataIdentity(text string) (*identity.MetadataIdentity, error) {
	if text == "" {
		return nil, nil
	}
	kind, name, _ := strings.Cut(text, "/")
	ref := identity.Ref{Kind: tacet.PrincipalKind(kind), Name: name}
	if ref.Kind != tacet.KindUser && ref.Kind != tacet.KindRole || name == "" {
		return nil, fmt.Errorf("the metadata identity %q is not user/NAME or role/NAME", text)
	}
	return &identity.MetadataIdentity{Account: DevAccount, Ref: ref}, nil
}
