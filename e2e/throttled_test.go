package e2e

import (
	"bytes"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestGoSDKBacksOff: the SDK takes a refusal by a limit for what it is, waits and asks again
// until it is answered, in each of the services' protocols.
func TestGoSDKBacksOff(t *testing.T) {
	base := newServer(t, "[limits]\nprincipal_rate = 4")
	pem, err := os.ReadFile(os.Getenv("TACET_CA_FILE"))
	must(t, err)
	cfg := goConfig(t, config.WithBaseEndpoint(base), config.WithCustomCABundle(bytes.NewReader(pem)))
	var refused atomic.Int64
	cfg.Retryer = func() aws.Retryer {
		standard := retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 12, time.Second
			o.RateLimiter = ratelimit.None // of its own retries
		})
		return counted{standard, &refused}
	}
	ctx := t.Context()
	sm, principals, tokens := secretsmanager.NewFromConfig(cfg), iam.NewFromConfig(cfg), sts.NewFromConfig(cfg)
	_, err = sm.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String("v")})
	must(t, err)
	for name, ask := range map[string]func() error{
		"Secrets Manager": func() error {
			_, err := sm.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
			return err
		},
		"IAM": func() error { _, err := principals.ListUsers(ctx, &iam.ListUsersInput{}); return err },
		"STS": func() error { _, err := tokens.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); return err },
	} {
		before := refused.Load()
		var wg sync.WaitGroup
		for range 14 { // the limit lets eight come at once
			wg.Go(func() {
				if err := ask(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		if refused.Load() == before {
			t.Errorf("%s: nothing was refused", name)
		}
	}
}

// counted counts the refusals that the SDK asks again after.
type counted struct {
	*retry.Standard
	refused *atomic.Int64
}

// IsErrorRetryable is the SDK's own answer.
func (c counted) IsErrorRetryable(err error) bool {
	again := c.Standard.IsErrorRetryable(err)
	if again {
		c.refused.Add(1)
	}
	return again
}
