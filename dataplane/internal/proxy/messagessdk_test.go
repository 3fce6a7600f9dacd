package proxy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// sdk is Anthropic's own client, as an application has it.
func (h *harness) sdk(key string) anthropic.Client {
	return anthropic.NewClient(option.WithoutEnvironmentDefaults(), option.WithBaseURL(h.agent.URL), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func messageParams(route string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: route, MaxTokens: 50,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("how much water passed"))}}
}

func TestMessagesSDKGetsAnAnswer(t *testing.T) {
	h := claude(t, toSonnet)
	client := h.sdk(goodKey)
	answer, err := client.Messages.New(t.Context(), messageParams("routed"))
	if err != nil {
		t.Fatal(err)
	}
	want := told(h)
	if len(answer.Content) != 1 || answer.Content[0].Text == "" || answer.StopReason != anthropic.StopReasonEndTurn ||
		answer.Usage.InputTokens != want.Usage.Input || answer.Usage.OutputTokens != want.Usage.Output {
		t.Errorf("answer %s", answer.RawJSON())
	}
	wantEnding(t, h, want)
}

func TestMessagesSDKGetsAStream(t *testing.T) {
	h := claude(t, toSonnet)
	client := h.sdk(goodKey)
	whole, err := client.Messages.New(t.Context(), messageParams("routed"))
	if err != nil {
		t.Fatal(err)
	}
	stream := client.Messages.NewStreaming(t.Context(), messageParams("routed"))
	var answer anthropic.Message
	for stream.Next() {
		if err := answer.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if stream.Err() != nil || len(answer.Content) != 1 || answer.Content[0].Text != whole.Content[0].Text || answer.Usage.OutputTokens != whole.Usage.OutputTokens {
		t.Errorf("streamed %s, whole %s, %v", answer.RawJSON(), whole.RawJSON(), stream.Err())
	}
}

func TestMessagesSDKSeesErrors(t *testing.T) {
	h := claude(t, toSonnet)
	var refused *anthropic.Error
	stranger, client := h.sdk("weir_other"), h.sdk(goodKey)
	if _, err := stranger.Messages.New(t.Context(), messageParams("routed")); !errors.As(err, &refused) || refused.StatusCode != 401 || refused.Type() != "authentication_error" {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := client.Messages.New(t.Context(), messageParams("none")); !errors.As(err, &refused) || refused.StatusCode != 404 || refused.Type() != "not_found_error" {
		t.Errorf("an unknown route: %v", err)
	}
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut, After: 5})
	stream := client.Messages.NewStreaming(t.Context(), messageParams("routed"))
	for stream.Next() {
	}
	if stream.Err() == nil || !strings.Contains(stream.Err().Error(), "upstream_broke") {
		t.Errorf("a stream that broke: %v", stream.Err())
	}
}

func TestMessagesSDKCountsAndLists(t *testing.T) {
	for provider, targets := range map[string][]*policyv1.Target{"anthropic": toSonnet, "gemini": toFlash} {
		h := google(t, targets)
		client := h.sdk(goodKey)
		counted, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: "routed",
			Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("how much water passed"))}})
		if err != nil || counted.InputTokens != 10 {
			t.Errorf("%s: %+v, %v", provider, counted, err)
		}
		var names []string
		pages := client.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{Limit: anthropic.Int(3)})
		for pages.Next() {
			names = append(names, pages.Current().ID)
		}
		if pages.Err() != nil || !slices.Equal(names, routes) {
			t.Errorf("listed %s, %v", names, pages.Err())
		}
		one, err := client.Models.Get(t.Context(), "routed", anthropic.ModelGetParams{})
		if err != nil || one.DisplayName != "routed" || one.CreatedAt.IsZero() {
			t.Errorf("%+v, %v", one, err)
		}
	}
}
