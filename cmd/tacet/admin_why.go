package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tacet"
	"tacet/internal/client"
)

func newWhyCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "why ID",
		Short: "Explain a decision: what was asked, what decided, and what would allow it",
		Long: `Explains why a request was refused, or by what it was allowed: which statements of
which policies matched or failed, condition by condition, as they were at that time, and
whether today's policies would decide otherwise.

ID is the decision's, which a refusal tells in the response header X-Tacet-Decision-Id,
the event's id of CloudTrail's form, or the id of a request that is not long ago, which
AWS's clients print with an error and Azure's find in the header x-ms-request-id.`,
		Example: `  tacet why 0199d1c0ffee4a55b2c3d4e5f6071829
  tacet why 2f8b3c1e-6f0a-4a55-9d3c-0b8d2f6f9a11      the request id that aws printed
  tacet why 0199d1c0ffee4a55b2c3d4e5f6071829 --json`,
		Args: cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			e, err := cl.ExplainDecision(c.Context(), args[0])
			if err != nil {
				return failed("the decision "+args[0]+" cannot be explained", err)
			}
			var rec tacet.Record
			if err := json.Unmarshal(e.Record, &rec); err != nil {
				return fail(exitFailed, "the record of the decision cannot be shown", err, "")
			}
			var was client.Explanation
			if rec.Why != nil {
				if err := json.Unmarshal(rec.Why, &was); err != nil {
					return fail(exitFailed, "the explanation of the decision cannot be shown", err, "")
				}
			}
			return emitText(c, format, e, func() []string { return whyLines(e, &rec, was) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func newCanCommand(a *admin) *cobra.Command {
	var format string
	var given []string
	c := &cobra.Command{
		Use:   "can PRINCIPAL ACTION RESOURCE",
		Short: "Tell whether somebody may do something, and why",
		Long: `Tells what the policies would say of a request: yes, no, or on which conditions. The
policies are the real ones, of the principal, his groups, his boundary and the resource.

PRINCIPAL is the name of a user or a role, user/NAME, role/NAME, role/NAME/SESSION, root,
an ARN, or an object id or client id. ACTION is a name in a policy of either cloud, or of
an operation. RESOURCE is the name or the ARN of a secret, the name being Azure's if
ACTION is in Azure's language; user/NAME, role/NAME or an ARN for operations of IAM and
STS; or * for operations without a resource.

The exit code is 0 for yes, 5 for no and 1 for "it depends".`,
		Example: `  tacet can ci secretsmanager:GetSecretValue app/db
  tacet can role/deploy GetSecretValue app/db --context aws:SourceIp=10.0.0.7
  tacet can ana Microsoft.KeyVault/vaults/secrets/getSecret/action app/db
  tacet can ana sts:AssumeRole role/deploy`,
		Args: cobra.ExactArgs(3),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			q, err := question(args[1], args[2], given)
			if err != nil {
				return usage(err)
			}
			q.Principal = args[0]
			v, err := cl.SimulateDecision(c.Context(), q)
			if err != nil {
				return failed("the question has no answer", err)
			}
			if err := emitText(c, format, v, func() []string { return verdictLines(v, args[1]) }); err != nil {
				return err
			}
			switch v.Answer {
			case client.Allowed:
				return nil
			case client.Denied:
				return silent(exitDenied)
			}
			return silent(exitFailed)
		}),
	}
	contextFlag(c, &given)
	formatFlag(c, &format)
	return c
}

func newWhoCanCommand(a *admin) *cobra.Command {
	var format string
	var given []string
	c := &cobra.Command{
		Use:   "who-can ACTION RESOURCE",
		Short: "List everybody who may do something, and through which grant",
		Long: `Lists every user, role, root, session and identity provider that may do something, and
each grant that lets them. What depends on conditions of which nothing is known, such as
an address or a time, is listed with its conditions; give some with --context to see who
is left. For a role it is also told who may assume it.

ACTION and RESOURCE are as for "tacet can".`,
		Example: `  tacet who-can secretsmanager:GetSecretValue app/db
  tacet who-can GetSecretValue app/db --context aws:SourceIp=192.0.2.1
  tacet who-can sts:AssumeRole role/deploy
  tacet who-can secretsmanager:PutSecretValue app/db --json | jq -r '.principals[].arn'`,
		Args: cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			q, err := question(args[0], args[1], given)
			if err != nil {
				return usage(err)
			}
			access, err := cl.ListAccess(c.Context(), q)
			if err != nil {
				return failed("the question has no answer", err)
			}
			return emitText(c, format, access, func() []string { return accessLines(access, args[0]) })
		}),
	}
	contextFlag(c, &given)
	formatFlag(c, &format)
	return c
}

func contextFlag(c *cobra.Command, given *[]string) {
	c.Flags().StringArrayVar(given, "context", nil, "a condition `KEY=VALUE` that the request is supposed to have; may be given again")
}

func question(action, resource string, given []string) (client.Question, error) {
	q := client.Question{Action: action, Resource: resource}
	for _, s := range given {
		k, v, ok := strings.Cut(s, "=")
		if !ok || !strings.Contains(k, ":") {
			return q, errors.New("--context must be KEY=VALUE, as in aws:SourceIp=10.0.0.7")
		}
		q.Context = append(q.Context, client.Tag{Key: k, Value: v})
	}
	return q, nil
}

// emitText prints v as JSON, or lines for people to read.
func emitText(c *cobra.Command, format string, v any, lines func() []string) error {
	format, err := chooseFormat(c, format)
	if err != nil {
		return err
	}
	if format == formatJSON {
		return emit(c, format, v, nil)
	}
	for _, l := range lines() {
		if l != "" {
			l = printable(strings.TrimRight(l, " "))
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), l); err != nil {
			return err
		}
	}
	return nil
}
