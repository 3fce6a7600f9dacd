package rpc_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// receiver takes one message at a time and says whether it is signed with a secret.
type receiver struct {
	*httptest.Server
	got chan *http.Request
}

func receive(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{got: make(chan *http.Request, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(strings.NewReader(string(body)))
		r.got <- req
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "canary of the receiver")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) signedWith(t *testing.T, secret string) bool {
	t.Helper()
	req := <-r.got
	body, _ := io.ReadAll(req.Body)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(req.Header.Get("Webhook-Id") + "." + req.Header.Get("Webhook-Timestamp") + "." + string(body)))
	return req.Header.Get("Webhook-Signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestAlertChannels(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	first, second := webhookSecret("first"), webhookSecret("second")
	hook := receive(t, http.StatusNoContent)
	made := call(t, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{Name: "ops", Url: hook.URL, Secret: first}).AlertChannel
	test := func() *adminv1.TestAlertChannelResponse {
		t.Helper()
		return call(t, n.alerts.TestAlertChannel, &adminv1.TestAlertChannelRequest{Id: made.Id})
	}
	t.Run("a_test_is_signed_and_says_what_the_receiver_said", func(t *testing.T) {
		answer := test()
		same(t, answer.Delivery, adminv1.Delivery_DELIVERY_ACCEPTED)
		same(t, answer.Status, 204)
		same(t, answer.Duration.AsDuration() > 0, true)
		same(t, hook.signedWith(t, first), true)
	})
	t.Run("another_secret_signs_at_once", func(t *testing.T) {
		after := call(t, n.alerts.SetAlertChannelSecret, &adminv1.SetAlertChannelSecretRequest{Id: made.Id, Secret: second}).AlertChannel
		differ(t, after.SecretSetAt.AsTime(), made.SecretSetAt.AsTime())
		test()
		same(t, hook.signedWith(t, second), true)
	})
	t.Run("update_keeps_the_secret", func(t *testing.T) {
		moved := receive(t, http.StatusTeapot)
		call(t, n.alerts.UpdateAlertChannel, &adminv1.UpdateAlertChannelRequest{AlertChannel: &adminv1.AlertChannel{Id: made.Id, Url: moved.URL}})
		answer := test()
		same(t, answer.Delivery, adminv1.Delivery_DELIVERY_REFUSED)
		same(t, answer.Status, 418)
		same(t, moved.signedWith(t, second), true)
	})
	t.Run("what_is_refused", func(t *testing.T) {
		for _, c := range []*adminv1.CreateAlertChannelRequest{
			{Name: "ops", Url: hook.URL, Secret: "whsec_short"},
			{Name: "new", Url: "http://169.254.169.254/latest", Secret: first},
			{Name: "new", Url: "https://10.0.0.1/", Secret: first},
			{Name: "new", Url: hook.URL + "?token=x", Secret: first},
		} {
			refused(t, connect.CodeInvalidArgument, n.alerts.CreateAlertChannel, c)
		}
		refused(t, connect.CodeAlreadyExists, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{Name: "ops", Url: hook.URL, Secret: first})
	})
	t.Run("delete_destroys_the_secret", func(t *testing.T) {
		refused(t, connect.CodeAborted, n.alerts.DeleteAlertChannel, &adminv1.DeleteAlertChannelRequest{Id: made.Id, Mutation: &adminv1.Mutation{Etag: made.Etag}})
		same(t, in.sealed(n), 2)
		call(t, n.alerts.DeleteAlertChannel, &adminv1.DeleteAlertChannelRequest{Id: made.Id})
		same(t, in.sealed(n), 1)
		refused(t, connect.CodeNotFound, n.alerts.TestAlertChannel, &adminv1.TestAlertChannelRequest{Id: made.Id})
		same(t, len(call(t, n.alerts.ListAlertChannels, &adminv1.ListAlertChannelsRequest{}).AlertChannels), 1)
		was := call(t, n.alerts.GetAlertChannel, &adminv1.GetAlertChannelRequest{
			Id: made.Id, AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: n.version() - 1}},
		}).AlertChannel
		same(t, was.Name, "ops")
	})
}

// sealed counts the secrets of a tenant.
func (in *installation) sealed(n *tenant) (count int) {
	for _, row := range in.everyRow()["secret"] {
		if strings.Contains(row, n.organization.Id) && strings.Contains(row, alertchannel.SecretPurpose) {
			count++
		}
	}
	return count
}

// The same request with another secret is another request, although no secret is
// stored.
func TestIdempotencyOfSecrets(t *testing.T) {
	n := install(t).tenant("alpha")
	set := func(secret string) *adminv1.SetAlertChannelSecretRequest {
		return &adminv1.SetAlertChannelSecretRequest{Id: n.channel.Id, Secret: webhookSecret(secret), Mutation: &adminv1.Mutation{RequestId: "r1"}}
	}
	once, twice := call(t, n.alerts.SetAlertChannelSecret, set("one")), call(t, n.alerts.SetAlertChannelSecret, set("one"))
	same(t, once.AlertChannel.Etag, twice.AlertChannel.Etag)
	err := refused(t, connect.CodeInvalidArgument, n.alerts.SetAlertChannelSecret, set("other"))
	same(t, detail(t, err).GetReason(), "request_id_reused")
	t.Run("a_dry_run_seals_nothing", func(t *testing.T) {
		before := n.in.sealed(n)
		call(t, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{
			Name: "dry", Url: "https://hooks.example", Secret: webhookSecret("dry"), Mutation: &adminv1.Mutation{ValidateOnly: true},
		})
		same(t, n.in.sealed(n), before)
	})
}
