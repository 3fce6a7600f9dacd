package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/weirhq/weir/deploy/local/demo"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
)

// What the parts of one machine agree on.
const (
	oidcClient   = "weir-console"
	callbackPath = "/auth/callback"
	ownerSecret  = "weir"
	mockKey      = "sk-mock"
	house        = "house.key"
)

// weirParts is the real table; tests put small stand-ins in its place.
var weirParts = partTable{
	build: buildBinaries,
	oidc:  oidcPart, mock: mockPart, controlplane: controlplanePart, agent: agentPart,
	seed: seedDemo, accepts: acceptsKey,
}

func oidcPart(s *stack) (process.Program, error) {
	secret, err := file.Secret(s.path("oidc.secret"))
	if err != nil {
		return process.Program{}, err
	}
	return process.Program{
		Path: s.self,
		Args: []string{
			"oidc", "--listen", s.address("OIDC"), "--issuer", s.issuer, "--keys", s.path("oidc"),
			"--client", oidcClient, "--redirect", s.url("CONTROL") + callbackPath, "--after-logout", s.url("CONTROL") + "/",
		},
		Env: append(foreignEnviron(), "WEIR_OIDC_CLIENT_SECRET="+secret, "WEIR_DEMO_PASSWORD="+ownerSecret),
		Probe: func(ctx context.Context) error {
			return process.Answers(s.issuer + "/.well-known/openid-configuration")(ctx)
		},
	}, nil
}

func mockPart(s *stack) (process.Program, error) {
	return process.Program{
		Path: s.self, Args: []string{"mock", "--listen", s.address("MOCK")},
		Probe: func(ctx context.Context) error { return dial(ctx, s.mockURL) },
	}, nil
}

// thisMachine are the networks that alerts may go to here: a receiver that somebody tries is beside the stack.
const thisMachine = "127.0.0.0/8,::1/128"

func controlplanePart(s *stack) (process.Program, error) {
	secret, err := file.Secret(s.path("oidc.secret"))
	if err != nil {
		return process.Program{}, err
	}
	operator, err := file.Secret(s.path("operator.token"))
	if err != nil {
		return process.Program{}, err
	}
	return process.Program{
		Path: s.binary("weir-controlplane"), Args: []string{"serve"},
		Env: append(foreignEnviron(),
			"WEIR_LISTEN="+s.address("CONTROL"), "WEIR_URL="+s.url("CONTROL"),
			"WEIR_POSTGRES_URL="+s.postgresURL, "WEIR_POSTGRES_SUPERUSER=true", "WEIR_KAFKA_BROKERS="+s.brokers,
			"WEIR_CLICKHOUSE_URL="+s.clickhouseURL, "WEIR_CLICKHOUSE_REPORT_URL="+s.clickhouseReportURL,
			"WEIR_OIDC_ISSUER="+s.issuer, "WEIR_OIDC_CLIENT_ID="+oidcClient, "WEIR_OIDC_CLIENT_SECRET="+secret,
			"WEIR_HOUSE_KEY_FILE="+s.path(house), "WEIR_OPERATOR_TOKEN="+operator,
			"WEIR_WEBHOOK_NETWORKS="+strings.Trim(thisMachine+","+os.Getenv("WEIR_WEBHOOK_NETWORKS"), ","), // so that alerts can be tried
		),
		Probe: func(ctx context.Context) error { return process.Answers(s.url("CONTROL") + "/healthz")(ctx) },
	}, nil
}

func agentPart(s *stack) (process.Program, error) {
	return process.Program{
		Path: s.binary("weir-agent"),
		Env: append(append(foreignEnviron(),
			"WEIR_LISTEN="+s.address("AGENT"), "WEIR_ADMIN_LISTEN="+s.address("ADMIN"), "WEIR_CONTROL_URL="+s.url("CONTROL"),
			"WEIR_STATE_DIR="+s.path("agent"), "WEIR_ENROLMENT_TOKEN="+s.demo.enrolment,
			"WEIR_USAGE_VIA=relay", "WEIR_KAFKA_BROKERS="+s.brokers, // as a newcomer's would; weir-agent usage via kafka tries the other way
			"WEIR_ALLOW_UPSTREAMS="+strings.Trim(s.mockURL+"="+demo.CredentialRef+";"+os.Getenv("WEIR_ALLOW_UPSTREAMS"), ";"),
			"WEIR_GATEWAY_KEY_FILE="+os.Getenv("WEIR_GATEWAY_KEY_FILE"), "WEIR_OTLP_ENDPOINT="+os.Getenv("WEIR_OTLP_ENDPOINT"),
			"WEIR_DRAIN_DELAY=0s", "WEIR_DRAIN_TIMEOUT=5s", // nobody balances here
			"WEIR_DELIVERY_TIMEOUT=0s", // the state folder stays
		), append(ownSecrets(), "WEIR_SECRET_MOCK="+mockKey)...),
		Probe: func(ctx context.Context) error { return process.Answers(s.url("ADMIN") + "/readyz")(ctx) },
	}, nil
}

func acceptsKey(ctx context.Context, s *stack) error {
	return process.AnswersTo(s.demo.key, s.url("AGENT")+"/v1/models")(ctx)
}

// foreignEnviron is our environment without settings of Weir: a sourced env file must not change what a part does.
func foreignEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WEIR_") })
}

// ownSecrets are credentials of the user's own providers, which policies refer to as env://WEIR_SECRET_….
func ownSecrets() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return !strings.HasPrefix(v, "WEIR_SECRET_") })
}

func seedDemo(ctx context.Context, s *stack) (demonstration, error) {
	operator, err := file.Secret(s.path("operator.token"))
	if err != nil {
		return demonstration{}, err
	}
	_, noIdentity := os.Stat(s.path("agent", "identity", "identity.json"))
	d, err := demo.Ensure(ctx, demo.Config{
		ControlURL: s.url("CONTROL"), OperatorToken: operator, MockURL: s.mockURL,
		StateFile: s.path("demo.json"), NeedEnrolment: noIdentity != nil,
	})
	if err != nil {
		return demonstration{}, fmt.Errorf("set up the demo: %w", err)
	}
	return demonstration{
		email: demo.OwnerEmail, password: ownerSecret, token: d.Token, key: d.Key, keyID: d.KeyID, enrolment: d.EnrolmentToken,
	}, nil
}
