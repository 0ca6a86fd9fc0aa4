package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// How much there is when questions about decisions are asked.
const (
	questionHolders = 1000 // half of them users, half roles; as many managed policies
	questionSecrets = 100000
)

// RunQuestions measures how long `tacet who-can`, `can` and `why` take a user, from the
// start of the command to its end, with 1,000 principals, 1,000 policies, 100,000 secrets
// and, behind the denial that is asked about, p.Records records.
func (p *Plan) RunQuestions(ctx context.Context, out io.Writer) error {
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "store\tcommand\tmedian ms\tlongest ms\tlisted\trecords\t")
	for _, engine := range p.engines() {
		if err := p.askAll(ctx, w, engine); err != nil {
			return fmt.Errorf("%s: %w", engineName(engine), err)
		}
	}
	return w.Flush()
}

func (p *Plan) askAll(ctx context.Context, w io.Writer, engine string) error {
	dir, err := os.MkdirTemp("", "tacet-questions-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	server, err := StartTacet(ctx, Options{Binary: p.Binary, Dir: dir, Engine: engine, Fsync: "group"})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	if err := populate(server); err != nil {
		return err
	}
	denied := asked{p.Binary, server.Addr, filepath.Join(dir, "credentials.env")}
	id, err := denied.deny(ctx)
	if err != nil {
		return err
	}
	if err := fill(server, 0, questionSecrets, 64); err != nil {
		return err
	}
	if err := readMany(server, p.Records); err != nil {
		return err
	}
	for _, command := range [][]string{
		{"who-can", "secretsmanager:GetSecretValue", secretName(7)},
		{"can", "user0001", "secretsmanager:GetSecretValue", secretName(7)},
		{"why", id},
	} {
		var took []time.Duration
		listed := "-" // how many principals who-can names
		for range max(5, p.Rounds) {
			begin := time.Now()
			text, err := denied.run(ctx, command...)
			if err != nil {
				return err
			}
			if took = append(took, time.Since(begin)); command[0] == "who-can" {
				listed = strconv.Itoa(strings.Count(text, `"arn": "`))
			}
		}
		slices.Sort(took)
		fmt.Fprintf(w, "%s\t%s\t%.0f\t%.0f\t%s\t%d\t\n", engineName(engine), command[0], ms(took[len(took)/2]), ms(took[len(took)-1]), listed, p.Records)
	}
	return nil
}

// asked is how the command is run.
type asked struct{ binary, addr, env string }

func (a asked) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, a.binary, append(args, "--endpoint", "http://"+a.addr, "--env-file", a.env, "-o", "json")...)
	text, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() != 1 && exit.ExitCode() != 5 { // no, and it depends
		return "", fmt.Errorf("bench: tacet %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return string(text), nil
}

// deny makes a request that is refused, and returns the decision's id.
func (a asked) deny(ctx context.Context) (string, error) {
	for _, args := range [][]string{{"user", "create", "nobody"}, {"key", "create", "nobody"}} {
		text, err := a.run(ctx, args...)
		if err != nil || args[0] == "user" {
			if err != nil {
				return "", err
			}
			continue
		}
		env := a.env + ".nobody"
		get := func(name string) string {
			_, rest, _ := strings.Cut(text, `"`+name+`": "`)
			value, _, _ := strings.Cut(rest, `"`)
			return value
		}
		lines := "AWS_ACCESS_KEY_ID=" + get("id") + "\nAWS_SECRET_ACCESS_KEY=" + get("secret") + "\nAWS_REGION=us-east-1\n"
		if err := os.WriteFile(env, []byte(lines), 0o600); err != nil {
			return "", err
		}
		cmd := exec.CommandContext(ctx, a.binary, "user", "list", "--endpoint", "http://"+a.addr, "--env-file", env)
		said, _ := cmd.CombinedOutput()
		_, id, found := strings.Cut(string(said), "tacet why ")
		if !found {
			return "", fmt.Errorf("bench: nothing was refused: %s", said)
		}
		return strings.TrimSpace(id), nil
	}
	return "", nil
}

// populate makes the users, the roles and the policies. Every other policy is about the
// secrets, under a condition, so that half of the principals are in the answers.
func populate(server *Process) error {
	const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000001"},"Action":"sts:AssumeRole"}}`
	forms := func(i int) []url.Values {
		name, policy, prefix := fmt.Sprintf("user%04d", i), fmt.Sprintf("policy%04d", i), "bench-"
		if i%2 == 0 {
			prefix = "other-"
		}
		arn := "arn:aws:iam::000000000001:policy/" + policy
		make := url.Values{"Action": {"CreateUser"}, "UserName": {name}}
		attach := url.Values{"Action": {"AttachUserPolicy"}, "UserName": {name}, "PolicyArn": {arn}}
		if i%4 >= 2 {
			make = url.Values{"Action": {"CreateRole"}, "RoleName": {name}, "AssumeRolePolicyDocument": {trust}}
			attach = url.Values{"Action": {"AttachRolePolicy"}, "RoleName": {name}, "PolicyArn": {arn}}
		}
		return []url.Values{make, {"Action": {"CreatePolicy"}, "PolicyName": {policy}, "PolicyDocument": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:` +
				prefix + `*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`}}, attach}
	}
	for step := range 3 { // what is attached must be there
		if err := inParallel(server, questionHolders, func(i int) []byte { return server.Signer.RawForm("iam", forms(i)[step]) }); err != nil {
			return err
		}
	}
	return nil
}

// readMany makes n records: it asks for a page of one secret as often.
func readMany(server *Process, n int) error {
	return inParallel(server, n, func(int) []byte { return server.Signer.Raw("ListSecrets", []byte(`{"MaxResults":1}`)) })
}

// inParallel sends n requests over several connections.
func inParallel(server *Process, n int, request func(i int) []byte) error {
	const conns = 32
	var next atomic.Int64
	errs := make(chan error, conns)
	for range conns {
		go func() {
			_, err := drive(server.Addr, time.Now().Add(24*time.Hour), func(int) []byte {
				if i := int(next.Add(1)) - 1; i < n {
					return request(i)
				}
				return nil
			})
			errs <- err
		}()
	}
	var err error
	for range conns {
		err = errors.Join(err, <-errs)
	}
	return err
}
