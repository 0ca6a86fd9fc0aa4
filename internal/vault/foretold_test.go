package vault_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// deed is something to ask about, and to do: the truth about the question.
type deed struct {
	action, resource string
	do               func(w *world, c tacet.Call, stage tacet.Stage) error
}

func azureCall(c tacet.Call) tacet.Call {
	c.Vault, c.Account, c.Region = "main", "", ""
	return c
}

// onSecret is the deeds on one secret, none of which changes what policies look at.
func onSecret(name string) []deed {
	shown := tacet.ShownRef(strings.ReplaceAll(name, "/", "--"))
	return []deed{
		{sm + "GetSecretValue", name, func(w *world, c tacet.Call, stage tacet.Stage) error {
			return errOf(w.vault.GetSecretValue(w.ctx, c, vault.GetSecretValueInput{Secret: arnRef(name, w.suffixes[name]), Stage: stage}))
		}},
		{sm + "DescribeSecret", name, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.DescribeSecret(w.ctx, c, arnRef(name, w.suffixes[name])))
		}},
		{sm + "PutSecretValue", name, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.PutSecretValue(w.ctx, c, vault.PutSecretValueInput{Secret: arnRef(name, w.suffixes[name]), Token: token(1), Value: text("1")}))
		}},
		{sm + "UpdateSecretVersionStage", name, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.UpdateSecretVersionStage(w.ctx, c, vault.UpdateStageInput{Secret: arnRef(name, w.suffixes[name]), Stage: "AWSCURRENT", MoveTo: token(7)}))
		}},
		{sm + "ValidateResourcePolicy", name, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.ValidateResourcePolicy(w.ctx, c, vault.ValidatePolicyInput{Secret: arnRef(name, w.suffixes[name]), Policy: "{"}))
		}},
		{kv + "getSecret/action", shown.Shown, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.GetSecret(w.ctx, azureCall(c), vault.GetSecretInput{Secret: shown}))
		}},
		{"SetSecret", name, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.SetSecret(w.ctx, azureCall(c), vault.SetSecretInput{Secret: shown, Value: text("1"), Tags: w.tags[name]}))
		}},
		{kv + "backup/action", shown.Shown, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.BackupSecret(w.ctx, azureCall(c), shown))
		}},
	}
}

// deeds are all of them.
func deeds(w *world) []deed {
	var out []deed
	for _, name := range w.secrets {
		out = append(out, onSecret(name)...)
	}
	assume := func(role string) deed {
		arn := "arn:aws:iam::" + account + ":role/" + role
		return deed{"sts:AssumeRole", arn, func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.ids.AssumeRole(w.ctx, c, identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: arn, Name: "s1"}}))
		}}
	}
	return append(out, assume("r0"), assume("r1"),
		deed{sm + "ListSecrets", "*", func(w *world, c tacet.Call, _ tacet.Stage) error {
			if c.Account != account { // whose own vault AWS's face lists
				return errOf(w.vault.ListShownSecrets(w.ctx, azureCall(c), vault.ShownListInput{}))
			}
			return errOf(w.vault.ListSecrets(w.ctx, c, vault.ListSecretsInput{}))
		}},
		deed{"iam:GetUser", "user/u1", func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.ids.GetUser(w.ctx, c, "u1"))
		}},
		deed{"iam:GetRole", "role/r0", func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.ids.GetRole(w.ctx, c, "r0"))
		}},
		deed{"sts:GetCallerIdentity", "*", func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.ids.GetCallerIdentity(w.ctx, c))
		}},
		deed{"tacet:GetVault", "vault/main", func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.GetVault(w.ctx, c, "main"))
		}},
		deed{"tacet:ReadAudit", "*", func(w *world, c tacet.Call, _ tacet.Stage) error {
			return errOf(w.vault.ReadAudit(w.ctx, c, 0, 1, false))
		}})
}

// told counts what was foretold and what came.
type told struct {
	answers   map[guard.Answer]int
	both      int // questions that depend, of which both outcomes were seen
	taken     int // who lost all the grants that were told, and then could not
	perAction map[string]bool
}

// TestWhatIsForetoldComes: for everybody, every action and every resource of many small
// worlds, "yes" means that the request is allowed wherever it comes from, "no" that it never
// is; and once the request is known, "it depends" ends. who-can lists those for whom can
// does not say no.
func TestWhatIsForetoldComes(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	seed, worlds := rand.Uint64(), uint64(3)
	for name, n := range map[string]*uint64{"TACET_FORETOLD_SEED": &seed, "TACET_FORETOLD_WORLDS": &worlds} {
		if v := os.Getenv(name); v != "" {
			_, err := fmt.Sscan(v, n)
			h.must(err)
		}
	}
	t.Logf("seed %d", seed)
	w := newWorld(h, rand.New(rand.NewPCG(seed, 3)))
	got := told{answers: map[guard.Answer]int{}, perAction: map[string]bool{}}
	for range worlds {
		w.draw()
		for _, d := range deeds(w) {
			w.foretell(d, &got)
		}
		for range 6 {
			w.takeAway(one(w.r, deeds(w)...), &got)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%v, %d of which came out both ways; %d lost their grants", got.answers, got.both, got.taken)
	if len(got.answers) != 3 || len(got.perAction) < 24 || worlds > 20 && (got.both < 100 || got.taken < 20) {
		t.Errorf("the worlds are too much alike: %+v", got)
	}
}

// foretell asks of everybody, lets everybody do it, and compares.
func (w *world) foretell(d deed, got *told) {
	w.Helper()
	access, err := w.ids.ListAccess(w.ctx, w.admin, identity.Question{Action: d.action, Resource: d.resource})
	w.must(err)
	listed := map[string]bool{}
	for _, a := range access.Principals {
		listed[a.ARN] = true
		if role, _, ok := strings.Cut(strings.TrimPrefix(a.ARN, "arn:aws:sts::"+account+":assumed-role/"), "/"); ok && a.Kind == "session" {
			listed["arn:aws:iam::"+account+":role/"+role] = true
		}
	}
	came := map[string]map[bool]bool{} // what came, by ARN: a role has several sessions
	for _, p := range w.people {
		v, err := w.ids.SimulateDecision(w.ctx, w.admin, identity.Question{Principal: p.name, Action: d.action, Resource: d.resource})
		w.must(err)
		got.answers[v.Answer]++
		got.perAction[fmt.Sprint(d.action, v.Answer)] = true
		if came[p.arn] == nil {
			came[p.arn] = map[bool]bool{}
		}
		for _, from := range []string{"10.0.0.1", "192.0.2.7"} {
			c := p.call
			if c.SourceIP = from; w.chance(50) {
				c.TLS = "TLSv1.3"
			}
			stage := one(w.r, "", tacet.StageCurrent)
			err := d.do(w, c, stage)
			allowed := !slices.Contains([]tacet.Code{tacet.Denied, tacet.CrossAccountKey, tacet.InvalidRequest, tacet.PrincipalNotFound}, tacet.CodeOf(err))
			came[p.arn][allowed] = true
			if v.Answer == guard.Allowed && !allowed || v.Answer == guard.Denied && allowed {
				w.Errorf("%s %s %s: foretold %s, came %v %q (from %s, TLS %q, stage %q)\n%s", p.name, d.action, d.resource, v.Answer, err, reason(err), from, c.TLS, stage, w.describe(v))
			}
			w.foretellKnown(d, p, c, stage, allowed)
		}
		is := listed[p.arn] || access.Rule == guard.RuleAnyone
		if must := v.Answer == guard.Allowed || came[p.arn][true]; is && v.Answer == guard.Denied || must && !is {
			w.Errorf("%s %s %s: can says %s, who-can lists him: %v", p.name, d.action, d.resource, v.Answer, is)
		}
	}
	for _, outcomes := range came {
		if len(outcomes) == 2 {
			got.both++
		}
	}
}

func (w *world) describe(v identity.Verdict) string {
	return fmt.Sprintf("%+v %+v", v.Decision, v.Statements)
}

// foretellKnown asks again with all that is known of a request: the answer is what came,
// unless it depends on what the request did not bring.
func (w *world) foretellKnown(d deed, p person, c tacet.Call, stage tacet.Stage, allowed bool) {
	w.Helper()
	known := map[string][]string{"aws:SourceIp": {c.SourceIP}, "aws:SecureTransport": {fmt.Sprint(c.TLS != "")}, "aws:CurrentTime": {w.now().UTC().Format("2006-01-02T15:04:05Z")},
		"aws:userid": {c.Caller.ID}}
	if s := c.Caller.Session; s != nil {
		known["aws:TokenIssueTime"], known["aws:MultiFactorAuthPresent"] = []string{s.Issued.UTC().Format("2006-01-02T15:04:05Z")}, []string{"false"}
	}
	if d.action == sm+"GetSecretValue" && stage != "" || strings.HasSuffix(d.action, "VersionStage") {
		known["secretsmanager:VersionStage"] = []string{string(tacet.StageCurrent)}
	}
	if d.action == "sts:AssumeRole" {
		known["sts:RoleSessionName"] = []string{"s1"}
	}
	name := p.name
	if c.Caller.Session != nil {
		name += "/" + c.Caller.Name
	}
	v, err := w.ids.SimulateDecision(w.ctx, w.admin, identity.Question{Principal: name, Action: d.action, Resource: d.resource, Context: known})
	w.must(err)
	if v.Rule == guard.RuleOtherFace && v.Answer == guard.Conditional {
		return // it depends on which face he asks
	}
	want := guard.Denied
	if allowed {
		want = guard.Allowed
	}
	if v.Answer == want {
		return
	}
	named := c.Caller.Account != account // whose policies are not shown
	for _, s := range v.Statements {
		named = named || s.Open
		for _, c := range s.Conditions {
			if _, ok := known[c.Key]; ok && c.Open {
				w.Errorf("%s %s %s: %s is open though it is known", p.name, d.action, d.resource, c.Key)
			}
		}
	}
	if v.Answer != guard.Conditional || !named {
		w.Errorf("%s %s %s with %v: foretold %s, came allowed=%v\n%s", p.name, d.action, d.resource, known, v.Answer, allowed, w.describe(v))
	}
}

// takeAway takes from somebody the grants through which he is said to be able to do
// something. If those are the ones, he is not able to any more.
func (w *world) takeAway(d deed, got *told) {
	w.Helper()
	access, err := w.ids.ListAccess(w.ctx, w.admin, identity.Question{Action: d.action, Resource: d.resource})
	w.must(err)
	ours := slices.DeleteFunc(access.Principals, func(a guard.Accessor) bool {
		return !strings.HasPrefix(a.ARN, "arn:aws:iam::"+account+":") || a.Kind != "user" && a.Kind != "role" || strings.HasSuffix(a.ARN, "user/admin")
	})
	if len(ours) == 0 {
		return
	}
	a := one(w.r, ours...)
	if len(a.Grants) == 0 {
		w.Errorf("%s %s %s: through no grant", a.ARN, d.action, d.resource)
	}
	w.population(func(tx *guard.Tx) error {
		for _, g := range a.Grants {
			if err := w.take(tx, a.ARN, g); err != nil {
				return err
			}
		}
		return nil
	})
	for _, g := range a.Grants {
		if g.Kind == guard.GrantResource {
			w.setSecretPolicy(strings.ReplaceAll(d.resource, "--", "/"), "")
		}
	}
	v, err := w.ids.SimulateDecision(w.ctx, w.admin, identity.Question{Principal: a.ARN, Action: d.action, Resource: d.resource})
	w.must(err)
	if got.taken++; v.Answer != guard.Denied {
		w.Errorf("%s %s %s: %s without %+v\n%s", a.ARN, d.action, d.resource, v.Answer, a.Grants, w.describe(v))
	}
}
