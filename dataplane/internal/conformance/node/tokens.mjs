// Counts tokens as the tokenisers do that can be had: it reads a JSON array of texts and
// writes, for each, an object of counts. Text that looks like a special token is text.
import { readFileSync } from 'node:fs'
import { getTokenizer } from '@anthropic-ai/tokenizer'
import llama from 'llama-tokenizer-js'
import { get_encoding } from 'tiktoken'

const claude = getTokenizer()
const tiktoken = name => {
  const encoding = get_encoding(name)
  return text => encoding.encode_ordinary(text).length
}
const count = {
  o200k: tiktoken('o200k_base'),
  cl100k: tiktoken('cl100k_base'),
  claude: text => claude.encode_ordinary(text.normalize('NFKC')).length, // as the package itself does
  llama: text => llama.encode(text, false, true).length,
}
const texts = JSON.parse(readFileSync(0, 'utf8'))
const counts = texts.map(text => Object.fromEntries(Object.entries(count).map(([name, of]) => [name, of(text)])))
process.stdout.write(JSON.stringify(counts))
