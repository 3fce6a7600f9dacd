package report

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
)

var errNumber = errors.New("a number has to be finite; say whole ones beyond 2^53 as strings")

// tabSeparated escapes a text as ClickHouse reads a whole parameter.
var tabSeparated = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// literal writes a JSON value as ClickHouse reads parameters: a text as it stands, with
// escapes; what is inside of lists and maps in quotes.
func literal(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return `\N`, nil
	case string:
		return tabSeparated.Replace(v), nil
	}
	return nested(value)
}

func nested(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "NULL", nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return numeral(v)
	case string:
		return quoteText(v), nil
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			text, err := nested(one)
			if err != nil {
				return "", err
			}
			parts[i] = text
		}
		return "[" + strings.Join(parts, ",") + "]", nil
	case map[string]any:
		var parts []string
		for key, one := range v {
			text, err := nested(one)
			if err != nil {
				return "", err
			}
			parts = append(parts, quoteText(key)+":"+text)
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}", nil
	}
	return "", errors.New("want a text, number, bool, list, object or null")
}

func quoteText(s string) string {
	return "'" + strings.ReplaceAll(tabSeparated.Replace(s), "'", `\'`) + "'"
}

func numeral(f float64) (string, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "", errNumber
	}
	if f == math.Trunc(f) {
		if math.Abs(f) > 1<<53 {
			return "", errNumber
		}
		return strconv.FormatInt(int64(f), 10), nil
	}
	return strconv.FormatFloat(f, 'g', -1, 64), nil
}
