package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/webhook"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// alertTester sends one test message at a time for an organization.
type alertTester struct {
	sender *webhook.Sender
	mu     sync.Mutex
	busy   map[uuid.UUID]bool
}

// deliveries are the API's words for what came of a message.
var deliveries = map[webhook.Delivery]adminv1.Delivery{
	webhook.Accepted:    adminv1.Delivery_DELIVERY_ACCEPTED,
	webhook.Refused:     adminv1.Delivery_DELIVERY_REFUSED,
	webhook.Unreachable: adminv1.Delivery_DELIVERY_UNREACHABLE,
	webhook.TimedOut:    adminv1.Delivery_DELIVERY_TIMED_OUT,
	webhook.NotAllowed:  adminv1.Delivery_DELIVERY_ADDRESS_NOT_ALLOWED,
	webhook.TLSFailed:   adminv1.Delivery_DELIVERY_TLS_FAILED,
}

func (s *alertChannels) TestAlertChannel(ctx context.Context, req *connect.Request[adminv1.TestAlertChannelRequest]) (*connect.Response[adminv1.TestAlertChannelResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	var channel alertchannel.AlertChannel
	err = s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		channel, err = readmodel.AlertChannels.Find(ctx, v, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	key, err := s.key(ctx, caller.OrganizationID, channel)
	if err != nil {
		return nil, err
	}
	result, err := s.tester.send(ctx, caller.OrganizationID, channel, key)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&adminv1.TestAlertChannelResponse{
		Delivery: deliveries[result.Delivery], Status: int32(result.Status), Duration: durationpb.New(result.Duration),
	}), nil
}

// key is what signs the channel's messages.
func (s *alertChannels) key(ctx context.Context, organization uuid.UUID, channel alertchannel.AlertChannel) ([]byte, error) {
	secret, err := s.secrets.Open(ctx, organization, channel.ID, alertchannel.SecretPurpose)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Because(fault.Precondition, "secret_missing", "alert channel %q has no secret to sign with; set one", channel.Name)
	}
	if err != nil {
		return nil, err
	}
	return alertchannel.ParseSecret(secret.Reveal())
}

func (t *alertTester) send(ctx context.Context, organization uuid.UUID, channel alertchannel.AlertChannel, key []byte) (webhook.Result, error) {
	if !t.begin(organization) {
		return webhook.Result{}, fault.Because(fault.Exhausted, "test_running", "a test of the organization still runs; it ends within %s", webhook.Timeout)
	}
	defer t.end(organization)
	message, err := testMessage(organization, channel)
	if err != nil {
		return webhook.Result{}, err
	}
	return t.sender.Send(ctx, channel.URL, key, message)
}

func (t *alertTester) begin(organization uuid.UUID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy[organization] {
		return false
	}
	t.busy[organization] = true
	return true
}

func (t *alertTester) end(organization uuid.UUID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, organization)
}

func testMessage(organization uuid.UUID, channel alertchannel.AlertChannel) (webhook.Message, error) {
	id, err := newID()
	if err != nil {
		return webhook.Message{}, err
	}
	now := time.Now().UTC()
	body, err := json.Marshal(map[string]any{
		"type": "test", "timestamp": now.Format(time.RFC3339),
		"data": map[string]string{"organization_id": organization.String(), "alert_channel_id": channel.ID.String(), "alert_channel": channel.Name},
	})
	if err != nil {
		return webhook.Message{}, fmt.Errorf("write test message: %w", err)
	}
	return webhook.Message{ID: "msg_" + id.String(), Sent: now, Body: body}, nil
}
