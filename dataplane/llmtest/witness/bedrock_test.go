// Package witness has AWS's own SDK talk to the mock of Bedrock: it signs, encodes and
// decodes as AWS does. It is apart from the mock's tests, which need not build the SDK.
package witness

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/llmtest"
)

const model = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab:0"

var key = llmtest.AWSKey{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG", SessionToken: "a+b/c==", Region: "eu-west-1"}

func serve(t *testing.T, options llmtest.Options) (*llmtest.Server, string) {
	t.Helper()
	mock := llmtest.New(options)
	server := httptest.NewServer(mock)
	t.Cleanup(server.Close)
	t.Cleanup(mock.Close)
	return mock, server.URL
}

func client(url string, key llmtest.AWSKey) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: key.Region, BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken}, nil
		}),
	})
}

func said(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func TestAnswer(t *testing.T) {
	mock, url := serve(t, llmtest.Options{AWS: key, AnswerTokens: 3, CachedTokens: 2})
	answer, err := client(url, key).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String(model), Messages: said("how high is the weir"),
		System:          []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "be brief"}, &types.SystemContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: types.CachePointTypeDefault, Ttl: types.CacheTTLOneHour}}},
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(20), Temperature: aws.Float32(0.5)},
		ServiceTier:     &types.ServiceTier{Type: types.ServiceTierTypeFlex},
	})
	if err != nil {
		t.Fatal(err)
	}
	message := answer.Output.(*types.ConverseOutputMemberMessage).Value
	if text := message.Content[0].(*types.ContentBlockMemberText).Value; text != llmtest.Answer("how high is the weir", 0, 3) || answer.StopReason != types.StopReasonEndTurn || answer.ServiceTier.Type != types.ServiceTierTypeFlex {
		t.Errorf("%q, %v, %+v", text, answer.StopReason, answer.ServiceTier)
	}
	usage, tokens := answer.Usage, mock.Ledger().Total.Tokens
	want := llmtest.Tokens{Input: int64(*usage.InputTokens), CachedInput: int64(*usage.CacheReadInputTokens), CacheWrite1h: int64(*usage.CacheDetails[0].InputTokens), Output: int64(*usage.OutputTokens)}
	if diff := cmp.Diff(want, tokens); diff != "" || tokens.CacheWrite1h != 3 || tokens.CachedInput != 2 || tokens.Output != 3 {
		t.Errorf("the invoice differs from the usage: %s", diff)
	}
	if int64(*usage.TotalTokens) != tokens.Input+tokens.CachedInput+tokens.CacheWrite1h+tokens.Output {
		t.Errorf("total %d of %+v", *usage.TotalTokens, tokens)
	}
}

// streamed are the events of an answer, in short.
func streamed(t *testing.T, stream *bedrockruntime.ConverseStreamEventStream) (said string, tokens int32) {
	t.Helper()
	defer stream.Close()
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberMessageStart:
			said += string(e.Value.Role) + ":"
		case *types.ConverseStreamOutputMemberContentBlockStart:
			said += " " + *e.Value.Start.(*types.ContentBlockStartMemberToolUse).Value.Name
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				said += d.Value
			case *types.ContentBlockDeltaMemberToolUse:
				said += *d.Value.Input
			case *types.ContentBlockDeltaMemberReasoningContent:
				said += "?"
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			said += " " + string(e.Value.StopReason)
		case *types.ConverseStreamOutputMemberMetadata:
			tokens = *e.Value.Usage.OutputTokens
		}
	}
	return said, tokens
}

func TestStream(t *testing.T) {
	_, url := serve(t, llmtest.Options{AWS: key, AnswerTokens: 2})
	answer, err := client(url, key).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String(model), Messages: said("what level"),
		AdditionalModelRequestFields: document.NewLazyDocument(map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": 1024}}),
		ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("level"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object", "properties": map[string]any{"weir": map[string]any{"type": "integer"}}})}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, tokens := streamed(t, answer.GetStream())
	if want := "assistant:?????" + llmtest.Answer("what level", 0, 2) + ` level{"weir":7} tool_use`; got != want || tokens != 8 {
		t.Errorf("%q and %d tokens, want %q", got, tokens, want)
	}
	if err := answer.GetStream().Err(); err != nil {
		t.Error(err)
	}
}

func TestBrokenStreams(t *testing.T) {
	for name, test := range map[string]struct {
		fault llmtest.Fault
		want  func(error) bool
	}{
		"throttled": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 2, Status: 429}, func(err error) bool { return errors.As(err, new(*types.ThrottlingException)) }},
		"invalid":   {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 2, Status: 400}, func(err error) bool { return errors.As(err, new(*types.ValidationException)) }},
		"internal":  {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 2}, func(err error) bool { return errors.As(err, new(*types.InternalServerException)) }},
		"damaged":   {llmtest.Fault{Kind: llmtest.Malformed, After: 2}, func(err error) bool { return strings.Contains(err.Error(), "checksum") }},
	} {
		t.Run(name, func(t *testing.T) {
			mock, url := serve(t, llmtest.Options{AWS: key})
			mock.Script(test.fault)
			answer, err := client(url, key).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: said("hi")})
			if err != nil {
				t.Fatal(err)
			}
			streamed(t, answer.GetStream())
			if err := answer.GetStream().Err(); err == nil || !test.want(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		fault llmtest.Fault
		want  func(error) bool
	}{
		"throttled":   {llmtest.Fault{Kind: llmtest.Status, Status: 429}, func(err error) bool { return errors.As(err, new(*types.ThrottlingException)) }},
		"denied":      {llmtest.Fault{Kind: llmtest.Status, Status: 403}, func(err error) bool { return errors.As(err, new(*types.AccessDeniedException)) }},
		"unavailable": {llmtest.Fault{Kind: llmtest.Status, Status: 503}, func(err error) bool { return errors.As(err, new(*types.ServiceUnavailableException)) }},
		"model":       {llmtest.Fault{Kind: llmtest.Status, Status: 424}, func(err error) bool { return errors.As(err, new(*types.ModelErrorException)) }},
		"timeout":     {llmtest.Fault{Kind: llmtest.Status, Status: 408}, func(err error) bool { return errors.As(err, new(*types.ModelTimeoutException)) }},
		"not_found":   {llmtest.Fault{Kind: llmtest.Status, Status: 404}, func(err error) bool { return errors.As(err, new(*types.ResourceNotFoundException)) }},
		"internal":    {llmtest.Fault{Kind: llmtest.Status, Status: 500}, func(err error) bool { return errors.As(err, new(*types.InternalServerException)) }},
	} {
		t.Run(name, func(t *testing.T) {
			mock, url := serve(t, llmtest.Options{AWS: key})
			mock.Script(test.fault)
			_, err := client(url, key).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: said("hi")})
			if err == nil || !test.want(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	_, url := serve(t, llmtest.Options{AWS: key, APIKey: "ABSKsecret"})
	for name, test := range map[string]struct {
		change func(*llmtest.AWSKey)
		code   string
	}{
		"secret":        {func(k *llmtest.AWSKey) { k.SecretAccessKey += "x" }, "InvalidSignatureException"},
		"key_id":        {func(k *llmtest.AWSKey) { k.AccessKeyID = "AKIDOTHER" }, "UnrecognizedClientException"},
		"session_token": {func(k *llmtest.AWSKey) { k.SessionToken = "" }, "UnrecognizedClientException"},
		"region":        {func(k *llmtest.AWSKey) { k.Region = "us-east-1" }, "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := key
			test.change(&wrong)
			_, err := client(url, wrong).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: said("hi")})
			var told smithy.APIError
			if !errors.As(err, &told) || told.ErrorCode() != test.code {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAPIKey(t *testing.T) {
	mock := llmtest.New(llmtest.Options{APIKey: "ABSKsecret"})
	server := httptest.NewTLSServer(mock) // the SDK gives a key to no other
	defer server.Close()
	for token, ok := range map[string]bool{"ABSKsecret": true, "ABSKother": false} {
		client := bedrockruntime.New(bedrockruntime.Options{
			Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, HTTPClient: server.Client(),
			AuthSchemePreference: []string{"httpBearerAuth"}, BearerAuthTokenProvider: bearer.StaticTokenProvider{Token: bearer.Token{Value: token}},
		})
		_, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: said("hi")})
		if (err == nil) != ok {
			t.Errorf("%s: %v", token, err)
		}
	}
}
