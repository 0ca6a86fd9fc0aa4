package azureapi

import (
	"context"
	"net/http"
	"strings"

	"tacet"
	"tacet/internal/vault"
)

// An operation is a row of the face's table: everything that is its own. The steps all
// operations share are in serve and in the handler, so that none can forget one.
type operation struct {
	name   tacet.Operation
	verb   string // what it is called in access policies and in messages
	method string
	path   []string
	body   int64 // the longest body read, in bytes; 0: none is read
	status int   // of a success
	serve  func(ctx context.Context, v *vault.Service, call tacet.Call, x *exchange) error
}

// The longest bodies. A value of 25,600 bytes may be six times as long in JSON escapes,
// and a restored backup has up to a hundred values of AWS's size, sealed and in base64.
const (
	maxBody   = 256 << 10
	maxBackup = 16 << 20
)

// operations is the table. Where two rows match a path, the first counts.
func operations() []operation {
	const (
		secret  = "secrets/{name}"
		version = secret + "/{version}"
		deleted = "deletedsecrets/{name}"
		ok      = http.StatusOK
	)
	type svc = vault.Service
	row := func(method, path string, name tacet.Operation, verb string, body int64, status int, serve func(context.Context, *vault.Service, tacet.Call, *exchange) error) operation {
		return operation{name, verb, method, strings.Split(path, "/"), body, status, serve}
	}
	return []operation{
		row("GET", "secrets", tacet.OpListSecrets, "list", 0, ok, serve(readList, (*svc).ListShownSecrets, writeList)),
		row("POST", "secrets/restore", tacet.OpRestoreBackup, "restore", maxBackup, ok, serve(readBackup, (*svc).RestoreBackup, writeBundle)),
		row("GET", secret+"/versions", tacet.OpListSecretVersionIDs, "list", 0, ok, serve(readVersions, (*svc).ListShownVersions, writeVersions)),
		row("POST", secret+"/backup", tacet.OpBackupSecret, "backup", 0, ok, serve(readRef, (*svc).BackupSecret, writeBackup)),
		row("GET", secret, tacet.OpGetSecretValue, "get", 0, ok, serve(readGet, (*svc).GetSecret, writeBundle)),
		row("GET", version, tacet.OpGetSecretValue, "get", 0, ok, serve(readGet, (*svc).GetSecret, writeBundle)),
		row("PUT", secret, tacet.OpSetSecret, "set", maxBody, ok, serve(readSet, (*svc).SetSecret, writeBundle)),
		row("PATCH", secret, tacet.OpUpdateSecretAttributes, "set", maxBody, ok, serve(readUpdate, (*svc).UpdateSecretAttributes, writeBundle)),
		row("PATCH", version, tacet.OpUpdateSecretAttributes, "set", maxBody, ok, serve(readUpdate, (*svc).UpdateSecretAttributes, writeBundle)),
		row("DELETE", secret, tacet.OpDeleteSecret, "delete", 0, ok, serve(readRef, (*svc).SoftDeleteSecret, writeBundle)),
		row("GET", "deletedsecrets", tacet.OpListDeletedSecrets, "list", 0, ok, serve(readList, (*svc).ListDeletedSecrets, writeList)),
		row("GET", deleted, tacet.OpGetDeletedSecret, "get", 0, ok, serve(readRef, (*svc).GetDeletedSecret, writeBundle)),
		row("DELETE", deleted, tacet.OpPurgeDeletedSecret, "purge", 0, http.StatusNoContent, serve(readRef, callPurge, writeNothing)),
		row("POST", deleted+"/recover", tacet.OpRestoreSecret, "recover", 0, ok, serve(readRef, (*svc).RecoverDeletedSecret, writeBundle)),
	}
}

// serve makes an operation of its three parts: how its input is read and checked, what the
// core does, and how the output is written.
func serve[In, Out any](
	read func(*exchange) (In, error),
	call func(*vault.Service, context.Context, tacet.Call, In) (Out, error),
	write func(*exchange, Out),
) func(context.Context, *vault.Service, tacet.Call, *exchange) error {
	return func(ctx context.Context, v *vault.Service, by tacet.Call, x *exchange) error {
		in, err := read(x)
		if err != nil {
			return err
		}
		out, err := call(v, ctx, by, in)
		if err != nil {
			return err
		}
		write(x, out)
		return nil
	}
}

// callPurge has the form serve wants.
func callPurge(v *vault.Service, ctx context.Context, by tacet.Call, ref tacet.SecretRef) (struct{}, error) {
	return struct{}{}, v.PurgeDeletedSecret(ctx, by, ref)
}
