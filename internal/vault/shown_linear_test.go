package vault_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"tacet"
	"tacet/internal/vault"
)

// One secret in both languages: what its current value and tags are, whether it is
// deleted, and whether there is one.
type sharedState struct {
	there, deleted, disabled bool
	value, tags              string
}

type sharedInput struct{ op, value string }

type sharedOutput struct {
	code        tacet.Code
	value, tags string
}

var sharedModel = porcupine.Model{
	Init: func() any { return sharedState{} },
	Step: func(s, i, o any) (bool, any) {
		st, in, out := s.(sharedState), i.(sharedInput), o.(sharedOutput)
		want, next := sharedStep(st, in)
		if out.code != "" && out.code == want.code {
			return true, st
		}
		return out == want, next
	},
	DescribeOperation: func(i, o any) string { return fmt.Sprintf("%+v -> %+v", i, o) },
}

// sharedStep says what an operation answers and leaves behind.
func sharedStep(st sharedState, in sharedInput) (sharedOutput, sharedState) {
	refuse := func(code tacet.Code) (sharedOutput, sharedState) { return sharedOutput{code: code}, st }
	switch in.op {
	case "azure set":
		if st.deleted {
			return refuse(tacet.SecretNameScheduled)
		}
		st = sharedState{there: true, value: in.value, tags: "by=" + in.value}
		return sharedOutput{}, st
	case "azure recover":
		if !st.deleted {
			return refuse(tacet.SecretNotFound)
		}
		st.deleted = false
		return sharedOutput{}, st
	}
	azure := in.op[:5] == "azure"
	switch {
	case !st.there, st.deleted && azure:
		return refuse(tacet.SecretNotFound)
	case st.deleted:
		return refuse(tacet.SecretMarkedDeleted)
	}
	switch in.op {
	case "aws put":
		st.value, st.disabled = in.value, false
	case "azure disable":
		st.disabled = true
	case "azure delete":
		st.deleted = true
	case "azure get", "aws get":
		if st.disabled {
			return refuse(tacet.VersionDisabled)
		}
		out := sharedOutput{value: st.value}
		if azure {
			out.tags = st.tags
		}
		return out, st
	}
	return sharedOutput{}, st
}

// TestLinearizableInBothLanguages drives one secret from many goroutines through both
// clouds' words, by several spellings of its name, and checks that what they saw is one
// history.
func TestLinearizableInBothLanguages(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for round := range 6 {
			var (
				mu  sync.Mutex
				ops []porcupine.Operation
				wg  sync.WaitGroup
			)
			for client := range 8 {
				wg.Go(func() {
					rnd := rand.New(rand.NewPCG(uint64(round), uint64(client)))
					for n := range 10 {
						in := sharedRandom(rnd, fmt.Sprintf("%d-%d", client, n))
						begin := time.Now().UnixNano()
						out := sharedCall(h, round, client, in)
						end := time.Now().UnixNano()
						mu.Lock()
						ops = append(ops, porcupine.Operation{ClientId: client, Input: in, Output: out, Call: begin, Return: end})
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if res := porcupine.CheckOperationsTimeout(sharedModel, ops, 20*time.Second); res != porcupine.Ok {
				t.Fatalf("round %d: %d operations are not linearizable: %s", round, len(ops), res)
			}
		}
	})
}

func sharedRandom(r *rand.Rand, value string) sharedInput {
	ops := []string{"azure set", "azure set", "azure get", "azure get", "aws get", "aws get", "aws put", "aws put", "azure disable", "azure delete", "azure recover", "azure recover"}
	return sharedInput{ops[r.IntN(len(ops))], value}
}

func sharedCall(h *house, round, client int, in sharedInput) sharedOutput {
	name := fmt.Sprintf("shared/%d", round)
	shown := tacet.ShownRef(fmt.Sprintf("shared--%d", round))
	if client%2 == 1 && in.op != "azure set" { // which makes the name that AWS's words use
		shown = tacet.ShownRef(strings.ToUpper(shown.Given))
	}
	var err error
	switch in.op {
	case "azure set":
		_, err = h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: shown, Value: text(in.value), Tags: []tacet.Tag{tag("by", in.value)}})
	case "azure get":
		b, err := h.vault.GetSecret(h.ctx, h.azure, vault.GetSecretInput{Secret: shown})
		return sharedOutput{tacet.CodeOf(err), string(b.Value.Reveal()), tags(b.Tags)}
	case "azure disable":
		_, err = h.vault.UpdateSecretAttributes(h.ctx, h.azure, vault.UpdateAttributesInput{Secret: shown, Attributes: vault.AttributesInput{Enabled: ptr(false)}})
	case "azure delete":
		_, err = h.vault.SoftDeleteSecret(h.ctx, h.azure, shown)
	case "azure recover":
		_, err = h.vault.RecoverDeletedSecret(h.ctx, h.azure, shown)
	case "aws put":
		_, err = h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef(name), Token: tacet.VersionID(fmt.Sprintf("%032s", in.value)), Value: text(in.value)})
	case "aws get":
		out, err := h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef(name)})
		return sharedOutput{code: tacet.CodeOf(err), value: string(out.Value.Reveal())}
	}
	return sharedOutput{code: tacet.CodeOf(err)}
}
