package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestRevertOfQuotas(t *testing.T) {
	n := install(t).tenant("alpha")
	kept, changed := n.limited(t, onKey(n.key)), n.budgeted(t, onOrganization())
	target := n.head()

	call(t, n.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: kept.Id})
	call(t, n.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{Budget: &adminv1.Budget{Id: changed.Id, AmountNanoUsd: 5}})
	call(t, n.budgets.RaiseBudget, raiseOf(changed, 7))
	made := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "since", ProjectId: n.project.Id}).Key
	n.limited(t, onKey(made))
	n.budgeted(t, onKey(made))

	answer := call(t, n.history.Revert, toVersion(target))
	same(t, reasons(answer)[changed.Id], "raise_kept")
	same(t, len(answer.Skipped), 1)
	limits := call(t, n.limits.ListLimits, &adminv1.ListLimitsRequest{}).Limits
	same(t, len(limits), 1)
	same(t, limits[0].Id, kept.Id)
	budgets := call(t, n.budgets.ListBudgets, &adminv1.ListBudgetsRequest{}).Budgets
	same(t, len(budgets), 1)
	same(t, budgets[0].AmountNanoUsd, changed.AmountNanoUsd)
	same(t, budgets[0].LastRaise.GetAmountNanoUsd(), 7)
	refused(t, connect.CodeNotFound, n.keys.GetKey, &adminv1.GetKeyRequest{Id: made.Id})
}

// A budget comes back and ends together with the channel that it names; one on a key
// that is over does not come back.
func TestRevertOfWhatQuotasName(t *testing.T) {
	n := install(t).tenant("alpha")
	target := n.head()
	gone := n.budgeted(t, onKey(n.key))
	within := n.head()
	channel := call(t, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{Name: "since", Url: n.channel.Url, Secret: webhookSecret("since")}).AlertChannel
	telling := monthly("telling", onOrganization())
	telling.AlertPercents, telling.AlertChannelIds = []int32{50}, []string{channel.Id}
	call(t, n.budgets.CreateBudget, telling)
	withChannel := n.head()
	call(t, n.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: n.key.Id})

	answer := call(t, n.history.Revert, toVersion(within))
	same(t, reasons(answer)[gone.Id], "key_not_found")
	same(t, reasons(answer)[n.key.Id], "never_revived")
	refused(t, connect.CodeNotFound, n.history.Revert, oneAt("budget", gone.Id, within))

	call(t, n.history.Revert, toVersion(target))
	call(t, n.history.Revert, toVersion(withChannel))
	same(t, len(call(t, n.budgets.ListBudgets, &adminv1.ListBudgetsRequest{}).Budgets), 1)
	call(t, n.history.Revert, toVersion(target))
	same(t, len(call(t, n.budgets.ListBudgets, &adminv1.ListBudgetsRequest{}).Budgets), 0)
	refused(t, connect.CodeNotFound, n.alerts.GetAlertChannel, &adminv1.GetAlertChannelRequest{Id: channel.Id})
}

// Sealed credentials are secrets: a revert leaves those that are there.
func TestRevertOfSealedCredentials(t *testing.T) {
	n := install(t).tenant("alpha")
	p := n.unsealed("sealed")
	key := n.keyed(n.gateway.Id)
	call(t, n.providers.UpdateProvider, resealed(p, n.sealed(key, n.gateway.Id, p.Id, 1)))
	target := n.head()
	call(t, n.providers.UpdateProvider, resealed(p, n.sealed(key, n.gateway.Id, p.Id, 2)))
	call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: p.Id, Region: "eu"}})
	second := n.keyed(n.gateway.Id)

	answer := call(t, n.history.Revert, toVersion(target))
	same(t, reasons(answer)[p.Id], "secret_kept")
	same(t, reasons(answer)[n.gateway.Id], "secret_kept")
	got := call(t, n.providers.GetProvider, &adminv1.GetProviderRequest{Id: p.Id}).Provider
	same(t, got.Region, "")
	same(t, got.SealedCredentials[0].Version, 2)
	gateway := call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: n.gateway.Id}).Gateway
	same(t, gateway.KeyFingerprint, second.Public().Fingerprint().String())
}

// What was taken away since does not come back: not in the place of a reference, not
// into an empty list, not with a provider that is restored.
func TestRevertBringsNoSealedCredentialBack(t *testing.T) {
	update := func(p *adminv1.Provider, paths ...string) *adminv1.UpdateProviderRequest {
		return &adminv1.UpdateProviderRequest{Provider: p, UpdateMask: mask(paths...)}
	}
	for name, since := range map[string]func(n *tenant, id string){
		"a_reference": func(n *tenant, id string) {
			call(n.t, n.providers.UpdateProvider, update(&adminv1.Provider{Id: id, CredentialRef: "env://WEIR_SECRET_NEW"}, "credential_ref", "sealed_credentials"))
		},
		"none": func(n *tenant, id string) {
			call(n.t, n.providers.UpdateProvider, update(&adminv1.Provider{Id: id}, "sealed_credentials"))
		},
		"the_whole": func(n *tenant, id string) {
			call(n.t, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: id})
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := install(t).tenant("alpha")
			p := n.unsealed("sealed")
			call(t, n.providers.UpdateProvider, resealed(p, n.sealed(n.keyed(n.gateway.Id), n.gateway.Id, p.Id, 1)))
			target := n.head()
			since(n, p.Id)
			answer := call(t, n.history.Revert, toVersion(target))
			same(t, reasons(answer)[p.Id], "secret_gone")
			got := call(t, n.providers.GetProvider, &adminv1.GetProviderRequest{Id: p.Id}).Provider
			same(t, len(got.SealedCredentials), 0)
			same(t, got.Name, "sealed")
		})
	}
}

func TestRevertOfAGatewaysKey(t *testing.T) {
	n := install(t).tenant("alpha")
	other := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "other", Region: "local"}).Gateway
	n.keyed(other.Id)
	target := n.head()
	call(t, n.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: other.Id})
	same(t, reasons(call(t, n.history.Revert, toVersion(target)))[other.Id], "secret_gone")
	same(t, len(call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: other.Id}).Gateway.PublicKey), 0)
}

// Every read model has a chapter: what has none would be in no event, no difference
// and no revert.
func TestEveryKindHasAHistory(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	err := refused(t, connect.CodeInvalidArgument, n.history.Revert, oneAt("nothing", n.key.Id, 1))
	_, list, found := strings.Cut(err.Message(), "want one of ")
	if !found {
		t.Fatal(err)
	}
	kinds := strings.Split(list, ", ")
	var tables []string
	if err := in.db.System(t.Context(), func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `SELECT table_name FROM information_schema.columns WHERE column_name = 'valid_to' AND table_schema = 'public'`)
		if err != nil {
			return err
		}
		tables, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if !slices.Contains(kinds, strings.TrimPrefix(table, "quota_")) {
			t.Errorf("%s is not among %v", table, kinds)
		}
	}
	same(t, len(kinds), len(tables))
}
