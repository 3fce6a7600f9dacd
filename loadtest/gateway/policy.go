package gateway

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/loadtest/gateway/upstream"
	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	organization = "loadtest-organization"
	gatewayID    = "loadtest-gateway"
	book         = "loadtest"
	signingKey   = "loadtest-signer"
	// route is what callers ask for.
	route = "chat"
	// otherKeys are in the policy beside the one in use.
	otherKeys = 1000
)

// CallerKey, Route and Path are what a caller of an agent with the policy of Install sends.
const (
	CallerKey = callerKey
	Route     = route
	Path      = chatPath
)

// Install writes a policy file into dir, and a state folder of an agent that enrolled; it
// returns the file and what verifies it.
func Install(dir, state, baseURL, controlURL string) (path, verifies string, err error) {
	return install(dir, state, baseURL, controlURL)
}

// callerKey is what the load sends to Weir.
const callerKey = "weir_loadtest0000000000000000000000000"

// resources of a policy with one route to the mock, priced, and keys.
func resources(baseURL string) map[string]proto.Message {
	rate := func(picodollars int64) *int64 { return &picodollars }
	all := map[string]proto.Message{
		"gateway/" + gatewayID: &policyv1.Gateway{Id: gatewayID, Name: "loadtest", Region: "local"},
		"price_book/" + book: &policyv1.PriceBook{Version: book, Entries: []*policyv1.PriceEntry{{
			PriceList: "openai", Model: upstream.Model, Rates: &policyv1.Rates{Input: rate(150_000), CacheRead: rate(75_000), Output: rate(600_000)},
		}}},
		"provider/mock": &policyv1.Provider{Id: "mock", Name: "mock", Dialect: policyv1.Dialect_DIALECT_OPENAI, BaseUrl: baseURL,
			CredentialRef: "env://WEIR_SECRET_LOADTEST", PriceList: "openai"},
		"route/chat": &policyv1.Route{Id: "chat", Name: route, Strategy: policyv1.Strategy_STRATEGY_SINGLE,
			Targets: []*policyv1.Target{{ProviderId: "mock", Model: upstream.Model}}},
	}
	for n := range otherKeys + 1 {
		text, id := callerKey, fmt.Sprintf("key-%d", n)
		if n > 0 {
			text += fmt.Sprint(n)
		}
		sum := sha256.Sum256([]byte(text))
		all["key/"+id] = &policyv1.Key{Id: id, ProjectId: "loadtest-project", Sha256: sum[:]}
	}
	return all
}

// signedPolicy is a policy file as weir-agent policy export makes it.
func signedPolicy(baseURL string, signer ed25519.PrivateKey) ([]byte, error) {
	file := &policyv1.PolicyFile{}
	var digests []digest.Resource
	for name, message := range resources(baseURL) {
		body, err := proto.Marshal(message)
		if err != nil {
			return nil, err
		}
		kind, id, _ := bytes.Cut([]byte(name), []byte("/"))
		file.Resources = append(file.Resources, &policyv1.Resource{Kind: string(kind), Id: string(id), Body: body})
		digests = append(digests, digest.Of(string(kind), string(id), body))
	}
	root := digest.Root(digests)
	release, err := proto.Marshal(&policyv1.Release{OrganizationId: organization, GatewayId: gatewayID, Epoch: 1, Version: 1,
		ResourceCount: int32(len(digests)), Root: root[:], MinimumCapability: 1, PriceBookVersion: book})
	if err != nil {
		return nil, err
	}
	file.Release = &policyv1.SignedRelease{Release: release, SigningKeyId: signingKey, Signature: ed25519.Sign(signer, digest.ReleaseMessage(release))}
	body, err := proto.Marshal(file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return bytes.Join([][]byte{[]byte("weirpol1"), sum[:], body}, nil), nil
}

// install writes a policy file into dir, and a state folder of an agent that enrolled: one
// that did not ships no usage. It returns what verifies the file.
func install(dir, state, baseURL, controlURL string) (path, verifies string, err error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", "", err
	}
	policy, err := signedPolicy(baseURL, private)
	if err != nil {
		return "", "", fmt.Errorf("make a policy: %w", err)
	}
	identity, err := json.Marshal(map[string]any{
		"agent_id": "loadtest-agent", "organization_id": organization, "gateway_id": gatewayID, "control_plane": controlURL,
		"signing_keys": map[string][]byte{signingKey: public},
	})
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(dir, "policy.weir")
	folder := filepath.Join(state, "identity")
	err = errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(path, policy, 0o600),
		os.WriteFile(filepath.Join(folder, "key"), private.Seed(), 0o600), os.WriteFile(filepath.Join(folder, "identity.json"), identity, 0o600))
	return path, signingKey + "=" + base64.StdEncoding.EncodeToString(public), err
}
