// Drives Debian's Chromium: a line of JSON in says what to do, a line of JSON out what came of it.
'use strict';
const readline = require('readline');
const {chromium} = require('playwright-core');

let browser;
let page;
const seen = {console: [], requests: []};

const deeds = {
  async open({url, width, height, dark, scale, trusting}) {
    browser = browser || await chromium.launch({executablePath: process.argv[2], args: ['--no-sandbox', '--disable-gpu', '--disable-lcd-text']});
    if (page) await page.context().close();
    const context = await browser.newContext({
      ignoreHTTPSErrors: trusting,
      viewport: {width, height}, deviceScaleFactor: scale, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC'});
    page = await context.newPage();
    seen.console.length = 0;
    seen.requests.length = 0;
    page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => seen.console.push(`exception: ${error.message}`));
    page.on('request', (request) => seen.requests.push(request.url()));
    await page.goto(url);
  },
  // Until the text of an element is, or contains, what is said.
  async wait({selector, text, within}) {
    const holds = ([where, what]) => {
      const element = document.querySelector(where);
      return Boolean(element) && element.checkVisibility() && element.textContent.includes(what);
    };
    await page.waitForFunction(holds, [selector, text], {timeout: within * 1000, polling: 50});
  },
  texts: ({selector}) => page.locator(selector).allTextContents(),
  click: ({selector}) => page.click(selector),
  async type({selector, text}) {
    await page.fill(selector, text);
    await page.press(selector, 'Enter');
  },
  evaluate: ({script}) => page.evaluate(script),
  async shoot({path, whole}) { await page.screenshot({path, fullPage: whole}); },
  report: () => seen,
};

async function serve() {
  for await (const line of readline.createInterface({input: process.stdin})) {
    const order = JSON.parse(line);
    try {
      const result = await deeds[order.do](order);
      console.log(JSON.stringify({result: result === undefined ? null : result}));
    } catch (error) {
      console.log(JSON.stringify({error: String(error && error.stack || error)}));
    }
  }
  if (browser) await browser.close();
}

serve();
