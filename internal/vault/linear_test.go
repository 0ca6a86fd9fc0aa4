package vault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"tacet"
	"tacet/internal/vault"
)

// The register that the history of one secret must look like: which version carries
// AWSCURRENT, and which versions exist with which value.

type linearInput struct {
	op    string // "put", "get" or "move"
	token int
	value string
	from  int
}

type linearOutput struct {
	current int // of a get
	value   string
	code    tacet.Code
}

type linearState struct {
	current int
	values  [8]string // by token
}

var secretModel = porcupine.Model{
	Init: func() any { return linearState{current: 1, values: [8]string{1: "v1"}} },
	Step: func(s, i, o any) (bool, any) {
		st, in, out := s.(linearState), i.(linearInput), o.(linearOutput)
		switch in.op {
		case "put":
			return stepPut(st, in, out)
		case "move":
			switch {
			case st.values[in.token] == "":
				return out.code == tacet.VersionNotFound, st
			case st.current != in.from:
				return out.code == tacet.StageHolderWrong, st
			}
			st.current = in.token
			return out.code == "", st
		}
		return out.code == "" && out.current == st.current && out.value == st.values[st.current], st
	},
	DescribeOperation: func(i, o any) string { return fmt.Sprintf("%+v -> %+v", i, o) },
}

// stepPut: a token is used once; a repetition with the same value changes nothing and
// with another is refused.
func stepPut(st linearState, in linearInput, out linearOutput) (bool, any) {
	switch old := st.values[in.token]; {
	case old == "":
		st.values[in.token] = in.value
		st.current = in.token
		return out.code == "", st
	case old == in.value:
		return out.code == "", st
	}
	return out.code == tacet.TokenInUse, st
}

// TestLinearizable drives puts, label moves and reads of one secret from many
// goroutines and checks that what they saw is one history.
func TestLinearizable(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for round := range 8 {
			name := fmt.Sprintf("linear/%d", round)
			h.create(name, "v1")
			var (
				mu  sync.Mutex
				ops []porcupine.Operation
				wg  sync.WaitGroup
			)
			for client := range 8 {
				wg.Go(func() {
					rnd := rand.New(rand.NewPCG(uint64(round), uint64(client)))
					for range 12 {
						in := linearRandom(rnd)
						begin := time.Now().UnixNano()
						out := linearCall(h.ctx, h, name, in)
						end := time.Now().UnixNano()
						mu.Lock()
						ops = append(ops, porcupine.Operation{ClientId: client, Input: in, Output: out, Call: begin, Return: end})
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if res := porcupine.CheckOperationsTimeout(secretModel, ops, 20*time.Second); res != porcupine.Ok {
				t.Fatalf("round %d: %d operations are not linearizable: %s", round, len(ops), res)
			}
		}
	})
}

func linearRandom(r *rand.Rand) linearInput {
	n := 1 + r.IntN(7)
	switch r.IntN(4) {
	case 0:
		return linearInput{op: "put", token: n, value: fmt.Sprintf("v%d", n+7*r.IntN(2))}
	case 1:
		return linearInput{op: "move", token: n, from: 1 + r.IntN(7)}
	}
	return linearInput{op: "get"}
}

func linearCall(ctx context.Context, h *house, name string, in linearInput) linearOutput {
	ref := tacet.NameRef(name)
	switch in.op {
	case "put":
		_, err := h.vault.PutSecretValue(ctx, h.admin, vault.PutSecretValueInput{Secret: ref, Token: token(in.token), Value: text(in.value)})
		return linearOutput{code: tacet.CodeOf(err)}
	case "move":
		_, err := h.vault.UpdateSecretVersionStage(ctx, h.admin, vault.UpdateStageInput{Secret: ref, Stage: tacet.StageCurrent, MoveTo: token(in.token), RemoveFrom: token(in.from)})
		return linearOutput{code: tacet.CodeOf(err)}
	}
	out, err := h.vault.GetSecretValue(ctx, h.admin, vault.GetSecretValueInput{Secret: ref})
	res := linearOutput{code: tacet.CodeOf(err), value: string(out.Value.Reveal())}
	for i := range 8 {
		if token(i) == out.Version {
			res.current = i
		}
	}
	return res
}
