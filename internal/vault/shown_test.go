package vault_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

// Each TestMapping_ is a row of the table in docs/design/philosophy.md's "Two faces, one
// model": what one face writes the other shows, both ways.

// setSecret makes a version in Azure's words.
func (h *house) setSecret(name, value string, tags ...tacet.Tag) vault.SecretBundle {
	h.Helper()
	b, err := h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: tacet.ShownRef(name), Value: text(value), Tags: tags})
	h.must(err)
	return b
}

// getSecret reads the current version, or the one with an id, in Azure's words.
func (h *house) getSecret(name string, version ...string) (vault.SecretBundle, error) {
	return h.vault.GetSecret(h.ctx, h.azure, vault.GetSecretInput{Secret: tacet.ShownRef(name), Version: strings.Join(version, "")})
}

func (h *house) wantShown(name, want string, version ...string) {
	h.Helper()
	b, err := h.getSecret(name, version...)
	h.must(err)
	if string(b.Value.Reveal()) != want {
		h.Errorf("the value of %s is not the one expected", name)
	}
}

func (h *house) patch(name, version string, in vault.UpdateAttributesInput) vault.SecretBundle {
	h.Helper()
	in.Secret, in.Version = tacet.ShownRef(name), version
	b, err := h.vault.UpdateSecretAttributes(h.ctx, h.azure, in)
	h.must(err)
	return b
}

// tags writes tags as "k=v k=v", by key.
func tags(list []tacet.Tag) string {
	var out []string
	for _, t := range list {
		out = append(out, t.Key+"="+t.Value)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func tag(k, v string) tacet.Tag { return tacet.Tag{Key: k, Value: v} }

func ptr[T any](v T) *T { return &v }

func TestMapping_SecretAndItsName(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("app/db", "from AWS")
		h.wantShown("app--db", "from AWS")
		h.wantShown("APP--Db", "from AWS")
		h.setSecret("app--api", "from Azure")
		h.wantValue("app/api", "from Azure")

		h.setSecret("Simple-Name", "one")
		h.wantValue("Simple-Name", "one")
		h.put("Simple-Name", 2, "two")
		h.wantShown("simple-name", "two")
		if b := h.setSecret("SIMPLE-name", "three"); b.Name != "Simple-Name" {
			t.Errorf("the name is %q, not as first stored", b.Name)
		}
		h.wantValue("Simple-Name", "three")

		// What Azure cannot show is not there.
		long := strings.Repeat("x", 128)
		for _, name := range []string{"under_score", "a+b", "dot.ted", long, strings.Repeat("y/", 70)} {
			h.create(name, "hidden")
			shown, ok := tacet.ShownName(name)
			if ok {
				t.Errorf("%q is shown as %q", name, shown)
			}
			_, err := h.getSecret(shown)
			h.wantCode(err, tacet.SecretNotFound)
			_, err = h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: tacet.ShownRef(name), Value: text("x")})
			h.wantCode(err, tacet.InvalidParameter)
		}
		if got := h.listed(25); got != "Simple-Name app--api app--db" {
			t.Errorf("listed: %s", got)
		}
	})
}

// Two names of AWS's can be one in Azure. The one shown exactly so wins, then the oldest,
// whatever its state, and each is listed that can be reached.
func TestMapping_NamesThatAreOneInAzure(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for _, name := range []string{"Foo", "foo", "a--b", "a/b", "x/y", "x--y", "X--Y"} {
			h.create(name, name)
			h.advance(time.Millisecond)
		}
		for shown, want := range map[string]string{
			"Foo": "Foo", "foo": "foo", "FOO": "Foo", // exactly, exactly, the oldest
			"a--b": "a--b", "A--B": "a--b", "x--y": "x/y", "X--Y": "X--Y", "X--y": "x/y",
		} {
			h.wantShown(shown, want)
		}
		if got := h.listed(25); got != "Foo X--Y a--b foo x--y" {
			t.Errorf("listed: %s", got)
		}
		h.setSecret("x--Y", "new")
		h.wantValue("x/y", "new")
		h.wantValue("x--y", "x--y")
		_, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("x/y"), Force: true})
		h.must(err)
		h.wantShown("x--y", "x--y")
	})
}

// TestMapping_NamesChangeHands: whose a name of Azure's is stays true while secrets that
// could answer to it come and go, on every node. A model says whose it is: of the one that
// is called so, or else of the oldest.
func TestMapping_NamesChangeHands(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) { h.namesChangeHands(h) })
	t.Run("two nodes", func(t *testing.T) {
		url := storetest.Postgres(t)
		a := newHouse(t, url)
		a.namesChangeHands(a.node(url))
	})
}

func (h *house) namesChangeHands(reader *house) {
	const day = 24 * time.Hour
	r := mathrand.New(mathrand.NewPCG(3, 4))
	names := []string{"a/b", "a--b", "A/b", "A--B", "Plain", "plain"}
	var order []string // those that are there, the oldest first
	purged := map[string]time.Time{}
	for step := range 150 {
		name := names[r.IntN(len(names))]
		i := slices.Index(order, name)
		switch _, deleted := purged[name]; {
		case i < 0:
			h.create(name, name)
			order = append(order, name)
		case deleted:
			_, err := h.vault.RestoreSecret(h.ctx, h.admin, tacet.NameRef(name))
			h.must(err)
			delete(purged, name)
		case r.IntN(2) == 0:
			_, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef(name), Force: true})
			h.must(err)
			order = slices.Delete(order, i, i+1)
		default:
			days := int64(7)
			_, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef(name), RecoveryDays: &days})
			h.must(err)
			purged[name] = h.now().Add(7 * day)
		}
		h.advance(time.Duration(r.IntN(3)) * day)
		order = slices.DeleteFunc(order, func(n string) bool {
			at, deleted := purged[n]
			if deleted = deleted && !h.now().Before(at); deleted {
				delete(purged, n)
			}
			return deleted
		})
		var listed []string
		for _, name := range slices.Sorted(slices.Values(order)) {
			line := name
			if shown := strings.ReplaceAll(name, "/", "--"); meant(order, shown) == name {
				line += " is " + shown
			} else {
				line += ": hidden by " + meant(order, shown)
			}
			if _, deleted := purged[name]; deleted {
				line += ", deleted"
			}
			listed = append(listed, line)
		}
		if got := reader.names(vault.SecretNamesInput{MaxResults: 1 + r.IntN(3)}); !slices.Equal(got, listed) {
			h.Errorf("the names are\n%q, not\n%q", got, listed)
		}
		for _, shown := range []string{"a--b", "A--B", "A--b", "plain", "PLAIN"} {
			want := meant(order, shown)
			if _, deleted := purged[want]; want == "" || deleted {
				_, err := reader.getSecret(shown)
				h.wantCode(err, tacet.SecretNotFound)
			} else {
				reader.wantShown(shown, want)
			}
		}
		if h.Failed() {
			h.Fatalf("after step %d", step)
		}
	}
}

// meant returns which of the secrets, the oldest first, Azure's name means: the one that
// is shown exactly so, or else the oldest.
func meant(order []string, shown string) (want string) {
	for _, n := range order {
		switch s := strings.ReplaceAll(n, "/", "--"); {
		case s == shown:
			return n
		case want == "" && strings.EqualFold(s, shown):
			want = n
		}
	}
	return want
}

// listed pages through the secrets as Azure does and returns their names.
func (h *house) listed(page int) string {
	h.Helper()
	var names []string
	in := vault.ShownListInput{MaxResults: page}
	for {
		out, err := h.vault.ListShownSecrets(h.ctx, h.azure, in)
		h.must(err)
		if len(out.Items) > page {
			h.Errorf("a page of %d", len(out.Items))
		}
		for _, b := range out.Items {
			names = append(names, b.Name)
			if !b.Value.IsZero() {
				h.Errorf("the listing has a value")
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return strings.Join(names, " ")
		}
	}
}

// An id that is a UUID is shown without hyphens and found
// either way, in any case; other ids are as they are.
func TestMapping_Version(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one") // token(1) is a UUID
		upper := tacet.VersionID("ABCDEF01-2345-4678-9ABC-DEF012345678")
		odd := tacet.VersionID(strings.Repeat("an-odd-token-", 3))
		for id, value := range map[tacet.VersionID]string{upper: "upper", odd: "odd"} {
			_, err := h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef("s"), Token: id, Value: text(value), Stages: []tacet.Stage{tacet.Stage(value)}})
			h.must(err)
		}
		for id, want := range map[string]string{
			"":                                      "one",
			string(token(1)):                        "one",
			tacet.ShownVersion(token(1)):            "one",
			string(upper):                           "upper",
			"abcdef0123454678" + "9abcdef012345678": "upper",
			"ABCDEF0123454678" + "9ABCDEF012345678": "upper",
			strings.ToLower(string(upper)):          "upper",
			string(odd):                             "odd",
		} {
			h.wantShown("s", want, id)
		}
		for _, id := range []string{"none", strings.ToUpper(string(odd)), "abcdef01234546789abcdef012345679", "\x00", strings.Repeat("f", 32)} {
			_, err := h.getSecret("s", id)
			h.wantCode(err, tacet.VersionNotFound)
		}
		made := h.setSecret("s", "two")
		if len(made.Version) != 32 || strings.Trim(made.Version, "0123456789abcdef") != "" {
			t.Errorf("the new version is %q", made.Version)
		}
		out, err := h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef("s"), Version: tacet.VersionID(made.Version)})
		h.must(err)
		if string(out.Value.Reveal()) != "two" || !slices.Equal(out.Stages, []tacet.Stage{tacet.StageCurrent}) {
			t.Errorf("AWS shows it with %v", out.Stages)
		}
	})
}

// "current version" and "other labels": the latest is AWSCURRENT, whoever
// moved it; every version is listed, labelled or not; other labels are not shown.
func TestMapping_CurrentVersionAndLabels(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		h.put("s", 2, "pending", tacet.StagePending)
		h.wantShown("s", "one")
		first := h.setSecret("s", "two")
		if got := h.stages("s"); got != "AWSPREVIOUS=1 AWSPENDING=2" {
			t.Errorf("labels: %s", got)
		}
		if first.Previous != tacet.ShownVersion(token(1)) {
			t.Errorf("previous version: %q", first.Previous)
		}
		_, err := h.vault.UpdateSecretVersionStage(h.ctx, h.admin, vault.UpdateStageInput{Secret: tacet.NameRef("s"), Stage: tacet.StageCurrent, MoveTo: token(2), RemoveFrom: tacet.VersionID(first.Version)})
		h.must(err)
		h.wantShown("s", "pending")
		again := h.setSecret("s", "two") // equal content makes a version all the same
		if again.Version == first.Version {
			t.Error("setting the same value made no version")
		}
		if got := h.stages("s"); got != "AWSPREVIOUS=2" { // a new current version ends a rotation
			t.Errorf("labels: %s", got)
		}
		if got := len(h.versions("s", 25)); got != 4 {
			t.Errorf("%d versions are listed", got)
		}
	})
}

// "current version": a secret that AWS made without a value is not there in
// Azure, for any operation, until it has one.
func TestMapping_NoValueYet(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "")
		ref := tacet.ShownRef("s")
		for name, err := range map[string]error{
			"get":      errOf(h.getSecret("s")),
			"update":   errOf(h.vault.UpdateSecretAttributes(h.ctx, h.azure, vault.UpdateAttributesInput{Secret: ref})),
			"versions": errOf(h.vault.ListShownVersions(h.ctx, h.azure, vault.ListShownVersionsInput{Secret: ref})),
			"backup":   errOf(h.vault.BackupSecret(h.ctx, h.azure, ref)),
			"delete":   errOf(h.vault.SoftDeleteSecret(h.ctx, h.azure, ref)),
		} {
			if tacet.CodeOf(err) != tacet.SecretNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := h.listed(25); got != "" {
			t.Errorf("listed: %s", got)
		}
		h.setSecret("s", "one")
		h.wantValue("s", "one")
		if got := len(h.versions("s", 25)); got != 1 {
			t.Errorf("%d versions", got)
		}
	})
}

// versions pages through the versions of a secret as Azure does.
func (h *house) versions(name string, page int) []vault.SecretBundle {
	h.Helper()
	var all []vault.SecretBundle
	in := vault.ListShownVersionsInput{Secret: tacet.ShownRef(name), ShownListInput: vault.ShownListInput{MaxResults: page}}
	for {
		out, err := h.vault.ListShownVersions(h.ctx, h.azure, in)
		h.must(err)
		if len(out.Items) > page {
			h.Errorf("a page of %d", len(out.Items))
		}
		all = append(all, out.Items...)
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return all
		}
	}
}

// "value": bytes are base64 with application/octet-stream, both ways.
func TestMapping_Value(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		raw := []byte{0, 1, 2, 0xff}
		_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "bytes", Token: token(1), Value: vault.Value{Binary: tacet.NewPlaintext(raw)}})
		h.must(err)
		b, err := h.getSecret("bytes")
		h.must(err)
		if b.Kind != tacet.ValueBinary || b.ContentType != "application/octet-stream" || !bytes.Equal(b.Value.Reveal(), raw) {
			t.Errorf("Azure shows %s %q", b.Kind, b.ContentType)
		}
		for _, tt := range []struct {
			value, contentType string
			kind               tacet.ValueKind
		}{
			{base64.StdEncoding.EncodeToString(raw), "application/octet-stream", tacet.ValueBinary},
			{base64.StdEncoding.EncodeToString(raw), "Application/Octet-Stream", tacet.ValueBinary},
			{base64.StdEncoding.EncodeToString(raw), "text/plain", tacet.ValueString},
			{"no base64!", "application/octet-stream", tacet.ValueString},
			{"AAE=\n", "application/octet-stream", tacet.ValueString}, // it would not be written so again
			{"AAF=", "application/octet-stream", tacet.ValueString},   // likewise
			{"", "application/octet-stream", tacet.ValueString},
			{"plain", "", tacet.ValueString},
		} {
			in := vault.SetSecretInput{Secret: tacet.ShownRef("v"), Value: vault.TextValue([]byte(tt.value), tt.contentType), ContentType: tt.contentType}
			_, err := h.vault.SetSecret(h.ctx, h.azure, in)
			h.must(err)
			out, err := h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef("v")})
			h.must(err)
			b, err := h.getSecret("v")
			h.must(err)
			if out.Kind != tt.kind || b.Kind != tt.kind || b.ContentType != tt.contentType {
				t.Errorf("%q as %q: %s in AWS, %s %q in Azure", tt.value, tt.contentType, out.Kind, b.Kind, b.ContentType)
			}
		}
		h.put("v", 9, "from AWS") // metadata is not inherited
		if b, err = h.getSecret("v"); err != nil || b.ContentType != "" {
			t.Errorf("content type %q, %v", b.ContentType, err)
		}
	})
}

// "Enabled, not-before, expires": a disabled version is
// refused in both languages, also when an older one is not; the times refuse nothing;
// updating and listing work on disabled ones.
func TestMapping_Attributes(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.setSecret("s", "one")
		past, future := time.Unix(1500000000, 0).UTC(), time.Unix(1900000000, 0).UTC()
		in := vault.SetSecretInput{Secret: tacet.ShownRef("s"), Value: text("two"), ContentType: "text/plain",
			Attributes: vault.AttributesInput{NotBefore: &future, Expires: &past}}
		made, err := h.vault.SetSecret(h.ctx, h.azure, in)
		h.must(err)
		h.wantShown("s", "two") // before its time and after it
		h.wantValue("s", "two")

		h.advance(time.Minute)
		off := h.patch("s", made.Version, vault.UpdateAttributesInput{Attributes: vault.AttributesInput{Enabled: ptr(false)}})
		if off.Enabled || !off.NotBefore.Equal(future) || !off.Expires.Equal(past) || off.ContentType != "text/plain" || !off.Created.Equal(made.Created) || !off.Updated.After(off.Created) {
			t.Errorf("what was not named did not stay: %+v", off)
		}
		for _, version := range []string{"", made.Version} {
			_, err = h.getSecret("s", version)
			h.wantCode(err, tacet.VersionDisabled)
		}
		_, err = h.get("s")
		h.wantCode(err, tacet.VersionDisabled)
		if got := h.versions("s", 1); len(got) != 2 || !got[0].Enabled || got[1].Enabled {
			t.Errorf("versions: %+v", got)
		}
		if got := h.listed(1); got != "s" {
			t.Errorf("listed: %s", got)
		}
		on := h.patch("s", "", vault.UpdateAttributesInput{ContentType: ptr("x"), Attributes: vault.AttributesInput{Enabled: ptr(true)}})
		if !on.Enabled || on.ContentType != "x" || on.Version != made.Version {
			t.Errorf("enabled again: %+v", on)
		}
		h.wantValue("s", "two")

		// A version that AWS made has attributes too, once it is given some; the next has not.
		h.create("aws", "one")
		h.patch("aws", "", vault.UpdateAttributesInput{Attributes: vault.AttributesInput{Enabled: ptr(false)}})
		_, err = h.get("aws")
		h.wantCode(err, tacet.VersionDisabled)
		h.put("aws", 2, "two")
		h.wantShown("aws", "two")
		_, err = h.getSecret("aws", string(token(1)))
		h.wantCode(err, tacet.VersionDisabled)
	})
}

// "tags": of a version in Azure, where a new version has its own; the current
// version's are the secret's; an AWS put carries them over.
func TestMapping_Tags(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		awsTags := func() string {
			info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("s"))
			h.must(err)
			return tags(info.Secret.Tags)
		}
		v1 := h.setSecret("s", "1", tag("a", "1"))
		h.put("s", 2, "2")
		v3 := h.setSecret("s", "3", tag("b", "2"))
		_, err := h.vault.TagResource(h.ctx, h.admin, tacet.NameRef("s"), []tacet.Tag{tag("c", "3")})
		h.must(err)
		h.put("s", 4, "4")
		v5 := h.setSecret("s", "5")
		h.patch("s", "", vault.UpdateAttributesInput{Tags: []tacet.Tag{tag("d", "4")}})
		h.patch("s", v1.Version, vault.UpdateAttributesInput{Tags: []tacet.Tag{tag("old", "1")}})
		for id, want := range map[string]string{
			v1.Version: "old=1", string(token(2)): "a=1", v3.Version: "b=2 c=3", string(token(4)): "b=2 c=3", v5.Version: "d=4", "": "d=4",
		} {
			b, err := h.getSecret("s", id)
			h.must(err)
			if got := tags(b.Tags); got != want {
				t.Errorf("version %s has %q, want %q", id, got, want)
			}
		}
		if got := awsTags(); got != "d=4" {
			t.Errorf("AWS shows %q", got)
		}
		// A label moved back brings the version's tags back.
		_, err = h.vault.UpdateSecretVersionStage(h.ctx, h.admin, vault.UpdateStageInput{Secret: tacet.NameRef("s"), Stage: tacet.StageCurrent,
			MoveTo: tacet.VersionID(v3.Version), RemoveFrom: tacet.VersionID(v5.Version)})
		h.must(err)
		if got := awsTags(); got != "b=2 c=3" {
			t.Errorf("AWS shows %q", got)
		}
		if b, err := h.getSecret("s", v5.Version); err != nil || tags(b.Tags) != "d=4" {
			t.Errorf("the version left has %q, %v", tags(b.Tags), err)
		}
		h.patch("s", "", vault.UpdateAttributesInput{Tags: []tacet.Tag{}})
		if got := awsTags(); got != "" {
			t.Errorf("AWS shows %q", got)
		}
	})
}

// Limits: they hold for what Azure's face stores, and for nothing else.
func TestContractC_Limits(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		many := func(n int) (out []tacet.Tag) {
			for i := range n {
				out = append(out, tag(fmt.Sprint("k", i), "v"))
			}
			return out
		}
		x := func(n int) string { return strings.Repeat("x", n) }
		for _, tt := range []struct {
			name string
			in   vault.SetSecretInput
			want tacet.Code
		}{
			{"the longest value", vault.SetSecretInput{Value: text(x(25600))}, ""},
			{"a longer one", vault.SetSecretInput{Value: text(x(25601))}, tacet.InvalidParameter},
			{"the longest bytes", vault.SetSecretInput{Value: vault.Value{Binary: tacet.NewPlaintext(make([]byte, 19200))}}, ""},
			{"more bytes", vault.SetSecretInput{Value: vault.Value{Binary: tacet.NewPlaintext(make([]byte, 19201))}}, tacet.InvalidParameter},
			{"no value", vault.SetSecretInput{}, tacet.ValueMissing},
			{"an empty value", vault.SetSecretInput{Value: text("")}, ""},
			{"the longest content type", vault.SetSecretInput{Value: text("x"), ContentType: x(255)}, ""},
			{"a longer content type", vault.SetSecretInput{Value: text("x"), ContentType: x(256)}, tacet.InvalidParameter},
			{"15 tags", vault.SetSecretInput{Value: text("x"), Tags: many(15)}, ""},
			{"16 tags", vault.SetSecretInput{Value: text("x"), Tags: many(16)}, tacet.InvalidParameter},
			{"the longest tag", vault.SetSecretInput{Value: text("x"), Tags: []tacet.Tag{tag(x(256), x(256))}}, ""},
			{"a longer key", vault.SetSecretInput{Value: text("x"), Tags: []tacet.Tag{tag(x(257), "")}}, tacet.InvalidParameter},
			{"a longer tag", vault.SetSecretInput{Value: text("x"), Tags: []tacet.Tag{tag("k", x(257))}}, tacet.InvalidParameter},
		} {
			tt.in.Secret = tacet.ShownRef("limits")
			_, err := h.vault.SetSecret(h.ctx, h.azure, tt.in)
			if got := tacet.CodeOf(err); got != tt.want {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		for _, name := range []string{"", "a_b", "a/b", "ä", x(128), "a b"} {
			_, err := h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: tacet.ShownRef(name), Value: text("x")})
			h.wantCode(err, tacet.InvalidParameter)
		}
		h.setSecret(x(127), "the longest name")
		h.create("large", x(60000))
		h.wantShown("large", x(60000))
	})
}

// Paging: 1 to 25 a page, the token only where it was given, and a secret
// without a value is not there.
func TestContractC_Paging(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		var want []string
		for i := range 30 {
			name := fmt.Sprintf("p-%02d", i)
			h.setSecret(name, "x")
			want = append(want, name)
			h.create(fmt.Sprintf("p_%02d", i), "hidden")
		}
		h.create("p-empty", "")
		_, err := h.getSecret("p-empty")
		h.wantCode(err, tacet.SecretNotFound)
		for _, page := range []int{1, 7, 25} {
			if got := h.listed(page); got != strings.Join(want, " ") {
				t.Errorf("pages of %d: %s", page, got)
			}
		}
		for _, n := range []int{-1, 26} {
			_, err := h.vault.ListShownSecrets(h.ctx, h.azure, vault.ShownListInput{MaxResults: n})
			h.wantCode(err, tacet.InvalidParameter)
			_, err = h.vault.ListShownVersions(h.ctx, h.azure, vault.ListShownVersionsInput{Secret: tacet.ShownRef("p-00"), ShownListInput: vault.ShownListInput{MaxResults: n}})
			h.wantCode(err, tacet.InvalidParameter)
		}
		first, err := h.vault.ListShownSecrets(h.ctx, h.azure, vault.ShownListInput{MaxResults: 1})
		h.must(err)
		for range 26 {
			h.setSecret("p-00", "y")
		}
		for _, page := range []int{1, 25} {
			if got := len(h.versions("P-00", page)); got != 27 {
				t.Errorf("pages of %d: %d versions", page, got)
			}
		}
		bad := vault.ShownListInput{NextToken: first.NextToken}
		_, err = h.vault.ListDeletedSecrets(h.ctx, h.azure, bad)
		h.wantCode(err, tacet.InvalidNextToken)
		_, err = h.vault.ListShownVersions(h.ctx, h.azure, vault.ListShownVersionsInput{Secret: tacet.ShownRef("p-00"), ShownListInput: bad})
		h.wantCode(err, tacet.InvalidNextToken)
		bad.NextToken += "A"
		_, err = h.vault.ListShownSecrets(h.ctx, h.azure, bad)
		h.wantCode(err, tacet.InvalidNextToken)
	})
}
