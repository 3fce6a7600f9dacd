package rpc_test

import (
	"testing"
	"time"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// Accounts are shown with their own tokens, and those with their last use.
func TestLastUsedTokens(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	if err := in.tokens.SaveUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	listed := call(t, n.accounts.ListServiceAccounts, &adminv1.ListServiceAccountsRequest{}).ServiceAccounts
	same(t, len(listed), 2)
	for _, a := range listed {
		got := call(t, n.accounts.GetServiceAccount, &adminv1.GetServiceAccountRequest{Id: a.Id}).ServiceAccount
		for _, tokens := range [][]*adminv1.ServiceAccountToken{a.Tokens, got.Tokens} {
			if len(tokens) != 1 {
				t.Fatalf("%s has %d tokens", a.Name, len(tokens))
			}
			used := tokens[0].LastUsedAt
			if a.Name == "bootstrap" && (used == nil || time.Since(used.AsTime()) > time.Minute) || a.Name == "ci" && used != nil {
				t.Errorf("%s of %s was used %v", tokens[0].Name, a.Name, used)
			}
		}
	}
}
