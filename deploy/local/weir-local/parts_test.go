package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/deploy/local/demo"
)

// Settings of the caller's own go on to the parts that they are for, and no others do.
func TestPartsGetTheCallersSettings(t *testing.T) {
	t.Setenv("WEIR_WEBHOOK_NETWORKS", "10.1.0.0/16")
	t.Setenv("WEIR_ALLOW_UPSTREAMS", "https://models.test=env://WEIR_SECRET_MODELS")
	t.Setenv("WEIR_SECRET_MODELS", "s")
	t.Setenv("WEIR_PRINCIPAL_RATE", "1")
	s := &stack{settings: settings{dir: t.TempDir()}, mockURL: "http://mock.test"}
	control, err := controlplanePart(s)
	must(t, err)
	agent, err := agentPart(s)
	must(t, err)
	for part, c := range map[string]struct {
		has  []string
		want []string
	}{
		"control plane": {control.Env, []string{"WEIR_WEBHOOK_NETWORKS=127.0.0.0/8,::1/128,10.1.0.0/16"}},
		"agent":         {agent.Env, []string{"WEIR_ALLOW_UPSTREAMS=http://mock.test=" + demo.CredentialRef + ";https://models.test=env://WEIR_SECRET_MODELS", "WEIR_SECRET_MODELS=s"}},
	} {
		for _, want := range c.want {
			if !slices.Contains(c.has, want) {
				t.Errorf("%s lacks %s: %v", part, want, slices.DeleteFunc(c.has, func(v string) bool { return !strings.HasPrefix(v, "WEIR_") }))
			}
		}
		if slices.Contains(c.has, "WEIR_PRINCIPAL_RATE=1") {
			t.Errorf("%s has a setting that it was not to get", part)
		}
	}
}
