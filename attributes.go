package tacet

import (
	"net/netip"
	"strings"
	"time"
)

// Limits of Azure Key Vault, which hold for what comes through its face alone (Azure
// Key Vault service limits). What AWS's face stored beyond them is shown all the same.
const (
	MaxShownName    = 127
	MaxShownValue   = 25600 // bytes
	MaxContentType  = 255
	MaxShownTags    = 15
	MaxShownTag     = 256 // characters of a key, and of a value
	MinRetention    = 7   // days
	MaxRetention    = 90
	MaxNetworkRules = 1000
)

// VaultSettings is what Azure lets be chosen of a vault.
type VaultSettings struct {
	// RetentionDays is how long a secret that was deleted in Azure's words can be
	// recovered, 7 to 90 days. It is chosen when the vault is made and stays.
	RetentionDays int `json:"retention,omitempty"`
	// PurgeProtection forbids everybody to end a recovery window early, in either cloud's
	// words. It is never switched off again.
	PurgeProtection bool `json:"protected,omitempty"`
	// AccessPolicies says that Azure's access policies grant, and role assignments do not;
	// otherwise it is the other way round. Policies in AWS's language count either way.
	AccessPolicies bool `json:"accessPolicies,omitempty"`
	// Network says from which addresses the vault's secrets may be used.
	Network NetworkRules `json:"network,omitzero"`
	// Tenant is the tenant that the vault's challenge names: a GUID or a word such as
	// "adfs"; empty for the deployment's default.
	Tenant string `json:"tenant,omitempty"`
}

// NetworkRules restrict the addresses of callers. The zero value lets everybody in.
type NetworkRules struct {
	// Deny refuses whoever is not in Allowed.
	Deny    bool           `json:"deny,omitempty"`
	Allowed []netip.Prefix `json:"allowed,omitempty"`
}

// Admits reports whether a caller from the address may come in. An address that cannot
// be read is in no list.
func (n *NetworkRules) Admits(address string) bool {
	if !n.Deny {
		return true
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range n.Allowed {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// RecoveryLevel is Azure's word for how secrets of the vault are deleted (Azure Key
// Vault REST reference, DeletionRecoveryLevel).
func (v *VaultSettings) RecoveryLevel() string {
	switch custom := v.RetentionDays < MaxRetention; {
	case custom && v.PurgeProtection:
		return "CustomizedRecoverable"
	case custom:
		return "CustomizedRecoverable+Purgeable"
	case v.PurgeProtection:
		return "Recoverable"
	}
	return "Recoverable+Purgeable"
}

// VersionAttributes is what Azure keeps of a version beside its value. A version that
// came through AWS's face and was left alone has none.
type VersionAttributes struct {
	ContentType string // empty: none
	Disabled    bool
	NotBefore   time.Time // zero: none; a word to the reader, nothing is refused for it
	Expires     time.Time // likewise
	Changed     time.Time // zero: not since the version was made
	// Tags are the version's, once HasTags is set; see [Secret.TagsOf].
	Tags    []Tag
	HasTags bool
}

// IsZero reports whether there is nothing to keep.
func (a *VersionAttributes) IsZero() bool {
	return a.ContentType == "" && !a.Disabled && a.NotBefore.IsZero() && a.Expires.IsZero() && a.Changed.IsZero() && !a.HasTags
}

// TagsOf returns the tags of version id. Those of the current version are the secret's
// own. Another keeps the tags that it had when it ceased to be current, if the secret has
// been given others since.
func (s *Secret) TagsOf(id VersionID) []Tag {
	if a := s.Attributes[id]; a.HasTags && s.Stages[StageCurrent] != id {
		return a.Tags
	}
	return s.Tags
}

// ShownName returns a secret's name as Azure shows it: "/", which no name has there, as
// "--", which is what .NET's configuration reads as a level. It reports false for a name
// that cannot be shown, because it has other characters or would be longer than 127.
func ShownName(name string) (string, bool) {
	shown := strings.ReplaceAll(name, "/", "--")
	return shown, ValidShownName(shown)
}

// NameOfShown returns the name that a secret made under an Azure name gets: [ShownName]'s
// inverse. It takes "--" from the left.
func NameOfShown(shown string) string { return strings.ReplaceAll(shown, "--", "/") }

// ValidShownName reports whether name has the form of a secret's name in Azure.
func ValidShownName(name string) bool {
	for i := range len(name) {
		if !isAlnum(name[i]) && name[i] != '-' {
			return false
		}
	}
	return name != "" && len(name) <= MaxShownName
}

// ShownRef refers to the secret that Azure's name means in the vault of the call. Names
// are compared without regard to case there, and "a--b" may be "a/b" or "a--b" in AWS, so
// several secrets can answer to one name: the one that is shown exactly so wins, and of
// several the oldest. With none, it is the name of [NameOfShown].
func ShownRef(shown string) SecretRef {
	return SecretRef{Given: shown, Name: NameOfShown(shown), Shown: shown}
}

// ShownVersion returns a version's id as Azure shows it: a UUID without its hyphens and
// in lower case, any other as it is.
func ShownVersion(id VersionID) string {
	if !isUUID(string(id)) {
		return string(id)
	}
	return strings.ToLower(strings.ReplaceAll(string(id), "-", ""))
}

// VersionIDs returns the ids that a version's id in Azure may stand for, but for their
// case: itself first, and a UUID with its hyphens and without.
func VersionIDs(shown string) []VersionID {
	ids := []VersionID{VersionID(shown)}
	h := ShownVersion(VersionID(strings.ToLower(shown)))
	if len(h) != 32 || strings.Trim(h, "0123456789abcdef") != "" {
		return ids
	}
	for _, id := range []string{h, h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]} {
		if id != shown {
			ids = append(ids, VersionID(id))
		}
	}
	return ids
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		c := s[i]
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if hyphen != (c == '-') || !hyphen && !hex {
			return false
		}
	}
	return true
}

// ValidVaultName reports whether name is fit for a vault and the first label of its host
// name: 3 to 24 letters, digits and single hyphens, a letter first and no hyphen last.
func ValidVaultName(name string) bool {
	for i := range len(name) {
		if !isAlnum(name[i]) && name[i] != '-' {
			return false
		}
	}
	n := len(name)
	return n >= 3 && n <= 24 && !isDigit(name[0]) && name[0] != '-' && name[n-1] != '-' && !strings.Contains(name, "--")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
