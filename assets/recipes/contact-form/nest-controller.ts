import { Body, Controller, HttpCode, HttpException, Post } from '@nestjs/common';

import { receive } from './contact';

@Controller('contact')
export class ContactController {
  @Post()
  @HttpCode(200)
  async send(@Body() body: Record<string, unknown>): Promise<{ ok: true }> {
    const outcome = await receive((field) => body?.[field], process.env.CONTACT_WEBHOOK_URL);
    if (!outcome.ok) throw new HttpException(outcome, outcome.status);
    return outcome;
  }
}
