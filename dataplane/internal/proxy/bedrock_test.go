package proxy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	awsSecret = `{"Version":1,"AccessKeyId":"AKIACANARY","SecretAccessKey":"canary/secret+key"}`
	haiku     = "anthropic.claude-haiku-4-5-20251001-v1:0"
	profile   = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0"
)

var awsKey = llmtest.AWSKey{AccessKeyID: "AKIACANARY", SecretAccessKey: "canary/secret+key"}

// converse is a harness whose route "routed" goes to Bedrock by a credential.
func converse(t *testing.T, reference string, targets []*policyv1.Target, options ...func(*proxy.Config)) *harness {
	h := claude(t, toSonnet, options...)
	aws := resource(t, "provider", "aws", &policyv1.Provider{Id: "aws", Name: "aws", Dialect: policyv1.Dialect_DIALECT_BEDROCK,
		BaseUrl: h.upstream.URL, CredentialRef: reference, Region: "eu-west-1", PriceList: "anthropic"})
	route := resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Targets: targets})
	h.extra = []*policyv1.Resource{aws, route}
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

func TestBedrockServesChats(t *testing.T) {
	for name, ask := range map[string]func(*harness) (*http.Response, string){
		"chat":            func(h *harness) (*http.Response, string) { return h.post(goodKey, routedQuestion+`}`) },
		"chat_stream":     func(h *harness) (*http.Response, string) { return h.post(goodKey, routedQuestion+`,"stream":true}`) },
		"messages":        func(h *harness) (*http.Response, string) { return h.message(message + `}`) },
		"messages_stream": func(h *harness) (*http.Response, string) { return h.message(message + `,"stream":true}`) },
	} {
		for credential, reference := range map[string]string{"signed": "env://WEIR_SECRET_AWS", "api_key": "env://WEIR_SECRET_MOCK"} {
			for _, model := range []string{haiku, profile} {
				t.Run(name+"_"+credential+"_"+model[:3], func(t *testing.T) {
					h := converse(t, reference, []*policyv1.Target{to("aws", model, 0)})
					response, text := ask(h)
					if response.StatusCode != 200 || strings.Contains(text, `"id":""`) || strings.Contains(text, `"model":""`) || !strings.Contains(text, "hills") || strings.HasSuffix(name, "stream") == strings.HasPrefix(text, "{") {
						t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
					}
					served := h.mock.Ledger().Models[model].Tokens
					want := ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: served.Input, Output: served.Output}, -1}
					_, ended := h.record()
					if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" || served.Output == 0 {
						t.Error(diff)
					}
				})
			}
		}
	}
}

func TestBedrockFailures(t *testing.T) {
	for name, test := range map[string]struct {
		fault  llmtest.Fault
		status int
		want   string
	}{
		"throttled":  {llmtest.Fault{Kind: llmtest.Status, Status: 429}, 429, `"type":"rate_limit_error"`},
		"no_service": {llmtest.Fault{Kind: llmtest.Status, Status: 503}, 503, `"type":"api_error"`},
		"exception":  {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 5}, 200, "event: error\n"},
		"cut":        {llmtest.Fault{Kind: llmtest.Cut, After: 5}, 200, `"code":"upstream_broke"`},
		"stalled":    {llmtest.Fault{Kind: llmtest.Stall, After: 5}, 200, `"code":"upstream_timeout"`},
		"malformed":  {llmtest.Fault{Kind: llmtest.Malformed, After: 3}, 200, `event: error`},
	} {
		t.Run(name, func(t *testing.T) {
			h := converse(t, "env://WEIR_SECRET_AWS", []*policyv1.Target{to("aws", haiku, 0)}, func(c *proxy.Config) { c.IdleTimeout = 100 * time.Millisecond })
			h.mock.Script(test.fault)
			response, text := h.message(message + `,"stream":true}`)
			if response.StatusCode != test.status || !strings.Contains(text, test.want) || strings.Contains(text, "message_stop") {
				t.Errorf("%d %s", response.StatusCode, text)
			}
		})
	}
}

// TestBedrockCredentials that can't sign are so before anything is sent, and never quoted.
func TestBedrockCredentials(t *testing.T) {
	for name, secret := range map[string]string{
		"not_json": `{"AccessKeyId":"canary`,
		"half":     `{"AccessKeyId":"AKIACANARY"}`,
		"id_alone": `AKIACANARY`,
		"expired":  strings.Replace(awsSecret, `"Version":1`, `"Version":1,"Expiration":"2020-01-01T00:00:00Z"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			h := converse(t, "env://WEIR_SECRET_AWS", []*policyv1.Target{to("aws", haiku, 0)}, func(c *proxy.Config) { c.Secrets = secrets{"env://WEIR_SECRET_AWS": secret} })
			response, text := h.post(goodKey, routedQuestion+`}`)
			wantError(t, response, text, 503, "credential_unavailable")
			if log := h.log.String(); len(h.mock.Requests()) != 0 || strings.Contains(text+log, "canary") || strings.Contains(log, "AKIA") {
				t.Errorf("%v %s", h.mock.Requests(), log)
			}
		})
	}
}
