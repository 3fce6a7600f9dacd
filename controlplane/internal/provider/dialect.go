package provider

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// dialect is what a provider that speaks it must be like.
type dialect struct {
	// priceList prices its models where nothing else is said; empty: they are unpriced. Azure's
	// deployments have names of their owner's choice, which may say another model than is
	// behind them, and the book has no list of Vertex', whose prices depend on the location.
	priceList string
	// refusal says what is wanted in place of a base URL, which is in the form of
	// parseBaseURL; empty: it will do. nil: all will.
	refusal func(*url.URL) string
}

var dialects = map[eventv1.Dialect]dialect{
	eventv1.Dialect_DIALECT_OPENAI:            {"openai", openAIRefusal},
	eventv1.Dialect_DIALECT_OPENAI_COMPATIBLE: {},
	eventv1.Dialect_DIALECT_ANTHROPIC:         {"anthropic", anthropicRefusal},
	eventv1.Dialect_DIALECT_GEMINI:            {"gemini", geminiRefusal},
	eventv1.Dialect_DIALECT_AZURE_OPENAI:      {"", azureRefusal},
	eventv1.Dialect_DIALECT_BEDROCK:           {"bedrock", bedrockRefusal},
	eventv1.Dialect_DIALECT_VERTEX:            {"", vertexRefusal},
}

var (
	endsInVersion  = regexp.MustCompile(`/v[0-9]+[a-z0-9]*$`)
	azureHost      = regexp.MustCompile(`\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)$`)
	bedrockOther   = regexp.MustCompile(`^(bedrock|bedrock-fips|bedrock-agent[a-z-]*)\..*(amazonaws\.com|amazonaws\.com\.cn|api\.aws)$`)
	vertexPath     = regexp.MustCompile(`/v1(?:beta1)?/projects/[^/]+/locations/([^/]+)/publishers/google$`)
	vertexHost     = regexp.MustCompile(`^(?:([a-z0-9-]+)-)?aiplatform\.googleapis\.com$`)
	apiVersionForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$`)
)

// check says whether the base URL, in the form of parseBaseURL, is one of the dialect's.
func (d dialect) check(base string) error {
	u, err := url.Parse(base)
	if err != nil || d.refusal == nil {
		return err
	}
	if why := d.refusal(u); why != "" {
		return fault.Field("base_url", "%s", why)
	}
	return nil
}

// openAIRefusal knows OpenAI's own host; what stands in front of it may have any path.
func openAIRefusal(u *url.URL) string {
	if u.Hostname() == "api.openai.com" && u.Path == "" {
		return "write it as https://api.openai.com/v1: agents add /chat/completions"
	}
	return ""
}

func anthropicRefusal(u *url.URL) string {
	if strings.HasSuffix(u.Path, "/v1") {
		return "write it without /v1, as for Anthropic's SDKs: agents add /v1/messages"
	}
	return ""
}

func geminiRefusal(u *url.URL) string {
	if !endsInVersion.MatchString(u.Path) {
		return "it must end in the version that agents are to ask, as https://generativelanguage.googleapis.com/v1beta does: they add /models/MODEL:generateContent"
	}
	return ""
}

// azureRefusal knows the hosts of resources; what else there is may stand in front of one.
func azureRefusal(u *url.URL) string {
	if u.Path != "" && azureHost.MatchString(u.Hostname()) || slices.Contains(strings.Split(u.Path, "/"), "openai") {
		return "write the resource only, https://RESOURCE.openai.azure.com: agents add /openai/deployments/DEPLOYMENT, or /openai/v1 without an api_version"
	}
	return ""
}

// bedrockRefusal takes any origin: VPC endpoints have names of their own.
func bedrockRefusal(u *url.URL) string {
	switch {
	case bedrockOther.MatchString(u.Hostname()):
		return "models are asked at https://bedrock-runtime.REGION.amazonaws.com; " + u.Hostname() + " manages them"
	case u.Path != "":
		return "write it without a path, as https://bedrock-runtime.us-east-1.amazonaws.com: agents add /model/MODEL/converse, and sign the path whole"
	}
	return ""
}

// vertexRefusal compares the location with the host where that is Google's own.
func vertexRefusal(u *url.URL) string {
	path := vertexPath.FindStringSubmatch(u.Path)
	if path == nil {
		return "it must end in version, project, location and publisher, as https://us-central1-aiplatform.googleapis.com/v1/projects/PROJECT/locations/us-central1/publishers/google does: " +
			"agents add /models/MODEL:generateContent"
	}
	host := vertexHost.FindStringSubmatch(u.Hostname())
	if host == nil {
		return ""
	}
	if served := host[1]; served != path[1] && (served != "" || path[1] != "global") {
		return "host and path name different locations: want https://LOCATION-aiplatform.googleapis.com/…/locations/LOCATION/…, or https://aiplatform.googleapis.com/…/locations/global/…"
	}
	return ""
}

// checkAPIVersion takes one of Azure's only.
func (s Settings) checkAPIVersion() error {
	switch {
	case s.APIVersion == "":
		return nil
	case s.Dialect != eventv1.Dialect_DIALECT_AZURE_OPENAI:
		return fault.Field("api_version", "only providers of the dialect azure-openai have one")
	case !apiVersionForm.MatchString(s.APIVersion):
		return fault.Field("api_version", "want a date as Azure writes it, 2024-10-21 or 2025-04-01-preview; got %q", s.APIVersion)
	}
	return nil
}
