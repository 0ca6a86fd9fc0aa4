package adminapi

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"slices"
	"time"

	"tacet"
	"tacet/internal/identity"
)

// operations is the whole face.
func operations() []operation {
	return append([]operation{
		handle("whoami", whoami),
		handle("decisions/explain", explainDecision),
		handle("decisions/simulate", simulateDecision),
		handle("access/list", listAccess),

		handle("accounts/create", createAccount),
		handle("accounts/list", listAccounts),
		handle("vaults/list", listVaults),
		handle("vaults/create", createVault),
		handle("vaults/get", getVault),
		handle("vaults/update", updateVault),
		handle("vaults/delete", deleteVault),
		handle("vaults/names", listNames),
		handle("role-assignments/create", createAssignment),
		handle("role-assignments/list", listAssignments),
		handle("role-assignments/delete", deleteAssignment),
		handle("role-definitions/create", createDefinition),
		handle("role-definitions/list", listDefinitions),
		handle("role-definitions/delete", deleteDefinition),
		handle("access-policies/set", setAccessPolicy),
		handle("access-policies/list", listAccessPolicies),
		handle("access-policies/delete", deleteAccessPolicy),

		handle("audit/records", readRecords),
		handle("audit/checkpoint", checkpoint),
		long(handle("audit/verify", verify)),
		long(operation{path: "audit/export", run: export}),

		handle("clock/get", getClock),
		handle("clock/set", setClock),
	}, principalOperations()...)
}

// principalOperations are those on principals, their policies and their credentials.
func principalOperations() []operation {
	return []operation{
		handle("users/create", createUser),
		handle("users/get", getUser),
		handle("users/list", listUsers),
		handle("users/update", updateUser),
		handle("users/delete", deleteUser),
		handle("policies/put", putPolicy),
		handle("policies/get", getPolicy),
		handle("policies/list", listPolicies),
		handle("policies/delete", deletePolicy),
		handle("policies/attach", attachPolicy),
		handle("policies/detach", detachPolicy),
		handle("policies/attached", listAttached),
		handle("boundaries/put", putBoundary),
		handle("boundaries/delete", deleteBoundary),
		handle("tags/put", putTags),
		handle("tags/delete", deleteTags),
		handle("groups/create", createGroup),
		handle("groups/get", getGroup),
		handle("groups/list", listGroups),
		handle("groups/update", updateGroup),
		handle("groups/delete", deleteGroup),
		handle("groups/add", addToGroup),
		handle("groups/remove", removeFromGroup),
		handle("roles/create", createRole),
		handle("roles/get", getRole),
		handle("roles/list", listRoles),
		handle("roles/update", updateRole),
		handle("roles/trust", setTrust),
		handle("roles/delete", deleteRole),
		handle("roles/revoke", revokeSessions),
		handle("managed/create", createManaged),
		handle("managed/get", getManaged),
		handle("managed/list", listManaged),
		handle("managed/delete", deleteManaged),
		handle("managed/update", updateManaged),
		handle("managed/holders", listHolders),
		handle("versions/list", listVersions),
		handle("versions/get", getVersion),
		handle("versions/set", setVersion),
		handle("versions/delete", deleteVersion),
		handle("providers/create", createProvider),
		handle("providers/get", getProvider),
		handle("providers/list", listProviders),
		handle("providers/delete", deleteProvider),
		handle("providers/add", addAudience),
		handle("providers/remove", removeAudience),
		handle("keys/create", createKey),
		handle("keys/list", listKeys),
		handle("keys/used", lastUse),
		handle("keys/update", updateKey),
		handle("keys/delete", deleteKey),
		{path: "client-credentials/create", run: createCredential},
		handle("client-credentials/list", listCredentials),
		handle("client-credentials/delete", deleteCredential),
	}
}

// handle makes an operation of a function from a request to an answer in JSON.
func handle[In, Out any](path string, do func(context.Context, *handler, tacet.Call, In) (Out, error)) operation {
	return operation{path: path, run: func(ctx context.Context, h *handler, call tacet.Call, body []byte) (answer, error) {
		var in In
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		out, err := do(ctx, h, call, in)
		if err != nil {
			return nil, err
		}
		return inJSON(out)
	}}
}

func long(op operation) operation {
	op.long = true
	return op
}

// none is the request, or the answer, that says nothing: {}.
type none struct{}

type whoamiOut struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	UserID  string `json:"userId"`
}

func whoami(ctx context.Context, h *handler, call tacet.Call, _ none) (whoamiOut, error) {
	c, err := h.Identity.GetCallerIdentity(ctx, call)
	return whoamiOut{ARN: c.ARN, Account: c.Account, UserID: c.ID}, err
}

// A tag as this face writes it.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type userOut struct {
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	ID      string    `json:"id"`
	Path    string    `json:"path"`
	Account string    `json:"account"`
	Created time.Time `json:"created"`
	// Boundary is the ARN of the managed policy that limits the user.
	Boundary string `json:"boundary,omitempty"`
	Tags     []tag  `json:"tags,omitempty"`
	ClientID string `json:"clientId"` // as Azure's clients know him
	ObjectID string `json:"objectId"`
}

func showUser(u tacet.User) userOut {
	return userOut{Name: u.Name, ARN: u.ARN(), ID: u.ID, Path: u.Path, Account: u.Account, Created: u.Created.UTC(), Boundary: u.Boundary,
		Tags: showTags(u.Tags), ClientID: tacet.ClientID(u.ID), ObjectID: tacet.ObjectID(u.ID)}
}

type userIn struct {
	User string `json:"user"`
}

type createUserIn struct {
	User     string `json:"user"`
	Path     string `json:"path"`
	Boundary string `json:"boundary"` // as policyARN takes it
	Tags     []tag  `json:"tags"`
}

func createUser(ctx context.Context, h *handler, call tacet.Call, in createUserIn) (userOut, error) {
	u, err := h.Identity.CreateUser(ctx, call, identity.CreateUserInput{Path: in.Path, Name: in.User, Boundary: boundaryARN(call, in.Boundary), Tags: readTags(in.Tags)})
	return showUser(u), err
}

func getUser(ctx context.Context, h *handler, call tacet.Call, in userIn) (userOut, error) {
	u, err := h.Identity.GetUser(ctx, call, in.User)
	return showUser(u), err
}

type usersOut struct {
	Users []userOut `json:"users"`
}

func listUsers(ctx context.Context, h *handler, call tacet.Call, _ none) (usersOut, error) {
	users, err := h.Identity.ListUsers(ctx, call, identity.Listing{})
	return usersOut{Users: show(users.Items, showUser)}, err
}

// renameIn is a new name, a new path or both of a user or a group.
type renameIn struct {
	User  string `json:"user"`
	Group string `json:"group"`
	Name  string `json:"name"`
	Path  string `json:"path"`
}

func updateUser(ctx context.Context, h *handler, call tacet.Call, in renameIn) (none, error) {
	return none{}, h.Identity.UpdateUser(ctx, call, in.User, identity.Renaming{Name: in.Name, Path: in.Path})
}

func deleteUser(ctx context.Context, h *handler, call tacet.Call, in userIn) (none, error) {
	return none{}, h.Identity.DeleteUser(ctx, call, in.User)
}

type keyOut struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
}

func showKey(k tacet.AccessKey) keyOut {
	return keyOut{ID: k.ID, User: k.User, Active: !k.Inactive, Created: k.Created.UTC()}
}

type keyIn struct {
	User string `json:"user"`
	Key  string `json:"key"`
}

type updateKeyIn struct {
	User   string `json:"user"`
	Key    string `json:"key"`
	Active *bool  `json:"active"`
}

type keysOut struct {
	Keys []keyOut `json:"keys"`
}

func createKey(ctx context.Context, h *handler, call tacet.Call, in userIn) (newKeyOut, error) {
	k, secret, err := h.Identity.CreateAccessKey(ctx, call, in.User)
	return withSecret(k, secret), err
}

func listKeys(ctx context.Context, h *handler, call tacet.Call, in userIn) (keysOut, error) {
	keys, err := h.Identity.ListAccessKeys(ctx, call, in.User, identity.Page{})
	return keysOut{Keys: show(keys.Items, showKey)}, err
}

type lastUseIn struct {
	Key string `json:"key"`
}

type lastUseOut struct {
	User    string    `json:"user"`
	Time    time.Time `json:"time,omitzero"`
	Service string    `json:"service,omitempty"`
	Region  string    `json:"region,omitempty"`
}

func lastUse(ctx context.Context, h *handler, call tacet.Call, in lastUseIn) (lastUseOut, error) {
	u, err := h.Identity.GetAccessKeyLastUsed(ctx, call, in.Key)
	return lastUseOut{User: u.User, Time: u.Time.UTC(), Service: u.Service, Region: u.Region}, err
}

func updateKey(ctx context.Context, h *handler, call tacet.Call, in updateKeyIn) (none, error) {
	if in.Active == nil {
		return none{}, badRequest("The member active is required.")
	}
	return none{}, h.Identity.UpdateAccessKey(ctx, call, in.User, in.Key, *in.Active)
}

func deleteKey(ctx context.Context, h *handler, call tacet.Call, in keyIn) (none, error) {
	return none{}, h.Identity.DeleteAccessKey(ctx, call, in.User, in.Key)
}

type vaultOut struct {
	Name    string    `json:"name"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

func showVault(v tacet.Vault) vaultOut {
	return vaultOut{Name: v.Name, Account: v.Account, Region: v.Region, ID: string(v.ID), Created: v.Created.UTC()}
}

type vaultsOut struct {
	Vaults []vaultOut `json:"vaults"`
}

func listVaults(ctx context.Context, h *handler, call tacet.Call, _ none) (vaultsOut, error) {
	vaults, err := h.Vault.ListVaults(ctx, call)
	return vaultsOut{Vaults: show(vaults, showVault)}, err
}

type createAccountIn struct {
	Account string `json:"account"`
	Region  string `json:"region"` // of the vault; the call's if it is absent
	Name    string `json:"name"`   // of the vault
	User    string `json:"user"`   // the administrator
}

type newAccountOut struct {
	Account string    `json:"account"`
	Vault   vaultOut  `json:"vault"`
	User    userOut   `json:"user"`
	Key     newKeyOut `json:"key"`
}

func createAccount(ctx context.Context, h *handler, call tacet.Call, in createAccountIn) (newAccountOut, error) {
	a, err := h.Identity.CreateAccount(ctx, call, identity.CreateAccountInput{Account: in.Account, Region: in.Region, VaultName: in.Name, Administrator: in.User})
	return newAccountOut{Account: in.Account, Vault: showVault(a.Vault), User: showUser(a.Administrator),
		Key: withSecret(a.AccessKey, a.Secret)}, err
}

type accountOut struct {
	Account string `json:"account"`
	// Operator says that the deployment belongs to it.
	Operator bool       `json:"operator"`
	Vaults   []vaultOut `json:"vaults"`
	Users    int        `json:"users"`
	Roles    int        `json:"roles"`
}

type accountsOut struct {
	Accounts []accountOut `json:"accounts"`
}

func listAccounts(ctx context.Context, h *handler, call tacet.Call, _ none) (accountsOut, error) {
	list, err := h.Identity.ListAccounts(ctx, call)
	return accountsOut{Accounts: show(list, func(a identity.Account) accountOut {
		return accountOut{Account: a.ID, Operator: a.Operator, Vaults: show(a.Vaults, showVault), Users: a.Users, Roles: a.Roles}
	})}, err
}

// show renders a list, empty for none.
func show[T, Out any](list []T, one func(T) Out) []Out {
	out := make([]Out, 0, len(list))
	for _, v := range list {
		out = append(out, one(v))
	}
	return out
}

// recordsIn asks for a page of records: those after a number, those before one, or,
// with neither, the last ones.
type recordsIn struct {
	After  *int64 `json:"after"`
	Before *int64 `json:"before"`
	Limit  int    `json:"limit"`
}

type recordOut struct {
	Seq    int64           `json:"seq"`
	Record json.RawMessage `json:"record"` // byte for byte what was hashed
}

// recordsOut holds a page of records, oldest first.
type recordsOut struct {
	Records []recordOut `json:"records"`
}

const (
	defaultPage = 50
	maxPage     = 1000
)

func readRecords(ctx context.Context, h *handler, call tacet.Call, in recordsIn) (recordsOut, error) {
	if in.Limit == 0 {
		in.Limit = defaultPage
	}
	if in.After != nil && in.Before != nil || in.Limit < 1 || in.Limit > maxPage {
		return recordsOut{}, badRequest("Give after or before, and a limit from 1 to 1000.")
	}
	from, descending := int64(math.MaxInt64), true
	switch {
	case in.After != nil:
		from, descending = max(*in.After, -1)+1, false
	case in.Before != nil:
		from = *in.Before
	}
	lines, err := h.Vault.ReadAudit(ctx, call, from, in.Limit, descending)
	if err != nil {
		return recordsOut{}, err
	}
	out := recordsOut{Records: make([]recordOut, 0, len(lines))}
	for _, l := range lines {
		out.Records = append(out.Records, recordOut{Seq: l.Seq, Record: l.Body})
	}
	if descending {
		slices.Reverse(out.Records)
	}
	return out, nil
}

func checkpoint(ctx context.Context, h *handler, call tacet.Call, _ none) (Checkpoint, error) {
	if err := h.Vault.AuthorizeAudit(ctx, call); err != nil {
		return Checkpoint{}, err
	}
	return h.Audit.Checkpoint(ctx)
}

type verifyIn struct {
	Since string `json:"since"` // an earlier checkpoint
}

func verify(ctx context.Context, h *handler, call tacet.Call, in verifyIn) (AuditReport, error) {
	if err := h.Vault.AuthorizeAudit(ctx, call); err != nil {
		return AuditReport{}, err
	}
	return h.Audit.Verify(ctx, in.Since)
}

type exportIn struct {
	Format string    `json:"format"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

// export answers with a stream of lines, so that a log of any length can be written.
func export(ctx context.Context, h *handler, call tacet.Call, body []byte) (answer, error) {
	in := exportIn{Format: FormatTacet}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{FormatTacet, FormatCloudTrail, FormatAzure}, in.Format) {
		return nil, badRequest("The format is tacet, cloudtrail or azure.")
	}
	if err := h.Vault.AuthorizeAudit(ctx, call); err != nil {
		return nil, err
	}
	return inLines(func(ctx context.Context, w io.Writer) error { return h.Audit.Export(ctx, w, Export(in)) }), nil
}

// clockInfo is the state of a development server's clock.
type clockInfo struct {
	// Offset is how far it is ahead of the machine's, in seconds.
	Offset int64 `json:"offset"`
}

type setClockIn struct {
	Offset *int64 `json:"offset"` // seconds
}

// maxOffset is the furthest the clock goes either way: a hundred years.
const maxOffset = 100 * 366 * 24 * 60 * 60

// getClock asks for the same right as setClock. On a server whose clock cannot be
// moved neither exists, and nothing is decided.
func getClock(ctx context.Context, h *handler, call tacet.Call, _ none) (clockInfo, error) {
	if h.Clock == nil {
		return clockInfo{}, &tacet.Error{Code: tacet.DevelopmentOnly}
	}
	if err := h.Vault.AuthorizeClock(ctx, call, "unchanged"); err != nil {
		return clockInfo{}, err
	}
	return clockInfo{Offset: int64(h.Clock.Offset() / time.Second)}, nil
}

func setClock(ctx context.Context, h *handler, call tacet.Call, in setClockIn) (clockInfo, error) {
	if h.Clock == nil {
		return clockInfo{}, &tacet.Error{Code: tacet.DevelopmentOnly}
	}
	if in.Offset == nil || *in.Offset < -maxOffset || *in.Offset > maxOffset {
		return clockInfo{}, badRequest("The member offset is required: seconds, at most a hundred years.")
	}
	d := time.Duration(*in.Offset) * time.Second
	if err := h.Vault.AuthorizeClock(ctx, call, d.String()); err != nil {
		return clockInfo{}, err
	}
	h.Clock.SetOffset(d)
	return clockInfo{Offset: *in.Offset}, nil
}
