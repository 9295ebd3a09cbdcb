// Validates YAML documents. On stdin, as JSON: {schema: text, documents: {name: text}}; on stdout {name: [what is wrong]}.
import Ajv2020 from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const { schema, documents } = JSON.parse(readFileSync(0, 'utf8'));
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strict: true });
const validate = ajv.compile(JSON.parse(schema));
const found = {};
for (const [name, text] of Object.entries(documents)) {
  const isValid = validate(parse(text));
  found[name] = isValid ? [] : validate.errors.map((error) => `${error.instancePath} ${error.message}`);
}
console.log(JSON.stringify(found));
